"""What we decide is what casbin decides."""

from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollgraph.adapters.casbin import CasbinEnforcer
from rollgraph.adapters.re2 import patterns
from rollgraph.core.rbac.policyset import PolicySet
from rollgraph.core.rbac.text import Dialect, MatchMode, PolicyDocument, PolicyText
from unit.core.rbac.policies import random_question, random_text, texts

KINDS = [(dialect, mode) for dialect in Dialect for mode in MatchMode]


@pytest.mark.parametrize(("dialect", "mode"), KINDS)
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_any_policy_means_what_it_means_to_casbin(
    dialect: Dialect, mode: MatchMode, data: st.DataObject
) -> None:
    text = data.draw(texts(dialect, mode))
    asked = random_question(Random(data.draw(st.integers(0, 2**32))), dialect)
    ours, judge = PolicySet(text, patterns(text)), CasbinEnforcer(text, patterns(text))
    assert ours.allows(*asked) is judge.allows(*asked)


@pytest.mark.timeout(300)  # casbin takes nearly all of it: 5 s on a quiet machine
def test_ten_thousand_random_decisions_are_casbin_s() -> None:
    random = Random(2026)
    yes = 0
    for number in range(200):
        dialect, mode = KINDS[number % len(KINDS)]
        text = random_text(random, dialect, mode)
        ours, judge = PolicySet(text, patterns(text)), CasbinEnforcer(text, patterns(text))
        for _ in range(50):
            asked = random_question(random, dialect)
            found = ours.allows(*asked)
            assert found is judge.allows(*asked), (text, asked)
            yes += found
    # Of 10,000; all of one kind would show nothing.
    assert 2_000 < yes < 8_000


def said(*lines: str) -> PolicyText:
    return PolicyText((PolicyDocument("policy.csv", "\n".join(lines)),), builtin=False)


def both(text: PolicyText, names: Sequence[str], *asked: str) -> bool:
    resource, action, object_ = asked
    found = PolicySet(text, patterns(text)).allows(names, resource, action, object_)
    judged = CasbinEnforcer(text, patterns(text)).allows(names, resource, action, object_)
    assert found is judged
    return found


@pytest.mark.parametrize(("links", "allowed"), [(1, True), (10, True), (11, False)])
def test_ten_roles_in_a_row_count_as_in_argo_cd(links: int, allowed: bool) -> None:
    chain = [f"g, r{number}, r{number + 1}" for number in range(links)]
    text = said(*chain, f"p, r{links}, rollouts, get, *, allow")
    assert both(text, ["r0"], "rollouts", "get", "east/shop/web") is allowed


def test_a_policy_without_rules_allows_nothing() -> None:
    assert not both(said(), [""], "", "", "")


def test_casbin_s_own_globs_would_let_a_deny_miss() -> None:
    """Why ours are registered: casbin's stop at a slash."""
    from casbin.util import glob_match

    assert not glob_match("prod/shop/web", "*")
    text = said("p, alice, rollouts, *, *, allow", "p, alice, rollouts, *, prod*, deny")
    assert not both(text, ["alice"], "rollouts", "promote", "prod/shop/web")
