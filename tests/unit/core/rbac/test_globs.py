"""Globs match what gobwas, which Argo CD has them from, matches."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from rollgraph.core.rbac.globs import MAX_ALTERNATIVES, MAX_GLOB
from rollgraph.core.rbac.patterns import BadPatternError
from rollgraph.core.rbac.trie import Globs

# What gobwas/glob 0.2.3 itself said of globs, some of them broken.
RECORDED = Path(__file__).parents[3] / "data" / "gobwas.json"
ANSWERS: list[dict[str, Any]] = json.loads(RECORDED.read_text("utf-8"))
AS_GOBWAS = Globs(overlapping=True)


@pytest.mark.parametrize("recorded", ANSWERS, ids=lambda recorded: recorded["glob"])
def test_matches_as_gobwas(recorded: dict[str, Any]) -> None:
    glob = recorded["glob"]
    if not recorded["good"]:
        with pytest.raises(BadPatternError):
            AS_GOBWAS.check(glob)
        return
    matches = AS_GOBWAS.any([glob])
    assert [text for text in recorded["matches"] if not matches(text)] == []
    assert [text for text in recorded["not"] if matches(text)] == []


def test_many_globs_together_match_what_each_does_alone() -> None:
    good = [recorded["glob"] for recorded in ANSWERS if recorded["good"]]
    # Without those that match nearly everything, so that the others have something to say.
    good = [glob for glob in good if not AS_GOBWAS.any([glob])("zz/zz/zz")]
    together = AS_GOBWAS.any(good)
    alone = [AS_GOBWAS.any([glob]) for glob in good]
    texts = {text for recorded in ANSWERS for key in ("matches", "not") for text in recorded[key]}
    answers = {text: together(text) for text in texts}
    assert answers == {text: any(matches(text) for matches in alone) for text in texts}
    assert set(answers.values()) == {True, False}


def test_a_star_is_between_what_it_is_between_unless_argo_cd_reads_it() -> None:
    assert AS_GOBWAS.any(["shop/*/web"])("shop/web")
    assert not Globs().any(["shop/*/web"])("shop/web")
    assert Globs().any(["shop/*/web"])("shop//web")


def test_a_star_beside_braces_with_a_star_is_no_exception_as_it_is_in_gobwas() -> None:
    # gobwas finds that "a" does not match.
    assert AS_GOBWAS.any(["{a,b}*{a,*}"])("a")


@pytest.mark.parametrize(
    ("glob", "what"),
    [
        ("[b-a]", "column 4: the range b-a is empty"),
        ("[a-zA-Z]", "column 4: '[' is never closed, or has more than one range"),
        ("x[]", "column 2: a class without characters; write '\\[' for the character"),
        ("a{}", "column 3: '{}' without anything in it"),
        ("a" * (MAX_GLOB + 1), f"it has {MAX_GLOB + 1} characters; at most {MAX_GLOB} are read"),
        (
            "{a,b}" * 11,
            f"column 55: '{{}}' stands for more than {MAX_ALTERNATIVES} alternatives",
        ),
    ],
)
def test_says_what_is_wrong_with_a_glob(glob: str, what: str) -> None:
    with pytest.raises(BadPatternError) as caught:
        Globs().check(glob)
    assert str(caught.value) == what


@pytest.mark.parametrize(
    ("glob", "slashes", "everything"),
    [
        ("*", 0, True),
        ("**", 2, True),
        ("{x,*}", 0, True),
        ("*/*", 0, False),
        ("*/*", 1, True),
        ("*/*/*", 2, True),
        ("*/*/*/*", 2, False),
        ("?*", 2, False),
        ("a*", 2, False),
    ],
)
def test_tells_globs_that_leave_nothing_out(glob: str, slashes: int, everything: bool) -> None:
    assert Globs().everything(glob, slashes) is everything


@pytest.mark.parametrize(
    "globs",
    [
        ["*a*a*a*a*a*a*a*a*a*a*b"],
        ["*a*b*c", "*a*b*d", "*b*a*c"],
        [f"{'a' * length}*b" for length in range(1, 300)],
        ["?" * 600 + "b"],
        ["{a,b,c,d}*{a,b,c,d}*{a,b,c,d}*x"],
    ],
)
def test_no_glob_takes_long(globs: list[str]) -> None:
    matches = Globs().any(globs)
    began = time.perf_counter()
    for text in ("a" * 600, "ab" * 300, "abc" * 200):
        assert not matches(text + "!")
    # 20 ms on a quiet machine for the worst of them. What blows up takes years.
    assert time.perf_counter() - began < 2
