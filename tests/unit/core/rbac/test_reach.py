"""Which lines of a policy can concern a place: those of which some rollout there can be matched."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollgraph.core.rbac.globs import alternatives
from rollgraph.core.rbac.reach import reaches


@pytest.mark.parametrize(
    ("glob", "cluster", "namespace", "reached"),
    [
        ("*", "east", "shop", True),
        ("east/*", "east", "shop", True),
        ("east/*", "west", None, False),
        ("*/shop/*", "east", "shop", True),
        ("*/shop/*", "east", "pay", False),
        ("*/shop/*", "east", None, True),
        ("*/shop/web", None, "shop", True),
        ("east/pay/*", None, "shop", False),
        ("ea?t/sh[a-z]p/web", "east", "shop", True),
        ("{east,west}/shop/*", "west", "shop", True),
        ("{east,west}/shop/*", "north", "shop", False),
        ("*web", "east", "shop", True),
        ("east", "east", None, False),
        ("east/shop", "east", "shop", False),
        ("", None, None, False),
        (r"e\ast/*", "east", None, True),
    ],
)
def test_a_glob_reaches_what_it_can_match(
    glob: str, cluster: str | None, namespace: str | None, reached: bool
) -> None:
    assert reaches(glob, cluster, namespace) is reached


PARTS = st.text("ab", min_size=1, max_size=2)


@given(glob=st.text("ab/*?", max_size=8), place=st.tuples(PARTS, PARTS, PARTS))
def test_whatever_is_matched_is_reached(glob: str, place: tuple[str, str, str]) -> None:
    cluster, namespace, _ = place
    matched = any(
        re.fullmatch("".join(tokens), "/".join(place), re.DOTALL) for tokens in alternatives(glob)
    )
    if matched:
        assert reaches(glob, cluster, namespace)
        assert reaches(glob, cluster, None)
        assert reaches(glob, None, namespace)
