"""What every `ports.Enforcer` guarantees: the one that serves, and casbin, which judges it."""

from collections.abc import Callable

import pytest

from rollgraph.adapters.casbin import CasbinEnforcer
from rollgraph.adapters.re2 import patterns
from rollgraph.core.errors import PolicyError
from rollgraph.core.rbac.policyset import PolicySet
from rollgraph.core.rbac.text import Dialect, PolicyDocument, PolicyText
from rollgraph.ports import Enforcer

Make = Callable[[PolicyText], Enforcer]

WEB = "east/shop/web"


@pytest.fixture(params=[PolicySet, CasbinEnforcer], ids=["compiled", "casbin"])
def make(request: pytest.FixtureRequest) -> Make:
    return lambda text: request.param(text, patterns(text))


def text(*lines: str, dialect: Dialect = Dialect.ROLLGRAPH, default: str = "") -> PolicyText:
    return PolicyText((PolicyDocument("policy.csv", "\n".join(lines)),), dialect, default)


def test_denies_what_it_is_not_told_to_allow(make: Make) -> None:
    enforcer = make(text("p, alice, rollouts, get, east/*, allow"))
    assert enforcer.allows(["alice"], "rollouts", "get", WEB)
    assert not enforcer.allows(["alice"], "rollouts", "promote", WEB)
    assert not enforcer.allows(["alice"], "clusters", "get", "east")
    assert not enforcer.allows(["bob"], "rollouts", "get", WEB)
    assert not enforcer.allows([""], "", "", "")
    assert not make(text()).allows([""], "", "", "")


def test_a_user_has_what_their_groups_have(make: Make) -> None:
    enforcer = make(text("p, role:dev, rollouts, get, *, allow", "g, dev, role:dev"))
    assert enforcer.allows(["alice", "dev"], "rollouts", "get", WEB)
    assert not enforcer.allows(["alice", "ops"], "rollouts", "get", WEB)


def test_a_deny_for_any_name_wins_in_our_dialect(make: Make) -> None:
    lines = ("p, dev, rollouts, *, *, allow", "p, frozen, rollouts, promote, *, deny")
    enforcer = make(text(*lines, default="role:readonly"))
    assert enforcer.allows(["alice", "dev"], "rollouts", "promote", WEB)
    assert not enforcer.allows(["alice", "dev", "frozen"], "rollouts", "promote", WEB)
    assert enforcer.allows(["alice", "frozen"], "rollouts", "get", WEB)


def test_a_deny_binds_one_name_in_argo_cd_s(make: Make) -> None:
    lines = (
        "p, role:dev, applications, *, */*, allow",
        "p, role:frozen, applications, *, */*, deny",
        "g, dev, role:dev",
        "g, frozen, role:frozen",
    )
    enforcer = make(text(*lines, dialect=Dialect.ARGOCD))
    asked = ("applications", "action/argoproj.io/Rollout/resume", "shop/web")
    assert enforcer.allows(["alice", "frozen", "dev"], *asked)
    assert not enforcer.allows(["alice", "frozen"], *asked)


def test_refuses_what_is_no_policy(make: Make) -> None:
    with pytest.raises(PolicyError, match=r"^policy\.csv:1: expected 6 fields"):
        make(text("p, alice, rollouts, get, *"))
