"""What docs/rbac.md says of policies is so."""

import re
from pathlib import Path

import pytest

from rollgraph.adapters.re2 import patterns
from rollgraph.core.rbac.checking import ACTIONS
from rollgraph.core.rbac.globs import MAX_ALTERNATIVES, MAX_GLOB
from rollgraph.core.rbac.policyset import MAX_PATTERNS, PolicySet
from rollgraph.core.rbac.text import PolicyDocument, PolicyText
from rollgraph.core.rbac.tuples import ARGOCD_ACTIONS

RBAC = (Path(__file__).parent.parent / "docs" / "rbac.md").read_text("utf-8")


@pytest.fixture
def example() -> PolicySet:
    (csv,) = re.findall(r"^```csv\n(.*?)^```$", RBAC, re.MULTILINE | re.DOTALL)
    text = PolicyText((PolicyDocument("docs/rbac.md", csv),))
    return PolicySet(text, patterns(text))


def test_the_table_of_verbs_is_that_of_the_code() -> None:
    rows = re.findall(r"^\| `([\w-]+)` \| `([\w/.-]+)` \|$", RBAC, re.MULTILINE)
    assert dict(rows) == {verb.value: action for verb, action in ARGOCD_ACTIONS.items()}
    assert len(rows) == len(ARGOCD_ACTIONS)


def test_every_resource_is_told() -> None:
    for resource in ACTIONS:
        assert f"\n| `{resource}` | " in RBAC


def test_the_bounds_are_those_of_the_code() -> None:
    assert f"{MAX_GLOB:,} characters" in RBAC
    assert f"{MAX_ALTERNATIVES:,} alternatives" in RBAC
    assert f"{MAX_PATTERNS:,} patterns" in RBAC


@pytest.mark.parametrize(
    ("names", "action", "rollout", "allowed"),
    [
        (["sre@example.com"], "get", "dev-eu/pay/api", True),
        (["bob", "oncall"], "promote-full", "prod-eu/pay/api", True),
        (["bob", "oncall"], "promote", "dev-eu/pay/api", False),
        (["bob", "oncall"], "restart", "prod-eu/pay/api", False),
        (["eve", "shop-team"], "restart", "prod-eu/shop/web", True),
        (["eve", "shop-team"], "set-image", "prod-eu/shop/web", False),
        (["eve", "shop-team"], "set-image", "dev-eu/shop/web", True),
        (["eve", "shop-team"], "get", "dev-eu/pay/api", False),
    ],
)
def test_the_example_does_what_its_comments_say(
    example: PolicySet, names: list[str], action: str, rollout: str, allowed: bool
) -> None:
    assert example.allows(names, "rollouts", action, rollout) is allowed
