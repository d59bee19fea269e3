"""Who is allowed what, in each dialect."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollgraph.adapters.re2 import patterns
from rollgraph.core.application import Application
from rollgraph.core.errors import PolicyError
from rollgraph.core.rbac.explanation import explain
from rollgraph.core.rbac.policyset import PolicySet
from rollgraph.core.rbac.text import Dialect, MatchMode, PolicyDocument, PolicyText
from rollgraph.core.rbac.tuples import question
from rollgraph.core.refs import RolloutRef
from rollgraph.core.verbs import Verb
from unit.core.rbac.policies import random_question, texts

WEB = RolloutRef("east", "shop", "web")
RESUME = "action/argoproj.io/Rollout/resume"


def ours(*lines: str, default: str = "") -> PolicySet:
    document = PolicyDocument("policy.csv", "\n".join(lines))
    text = PolicyText((document,), default_role=default)
    return PolicySet(text, patterns(text))


def argocd(
    *lines: str,
    default: str = "",
    mode: MatchMode = MatchMode.GLOB,
    projects: dict[str, str] | None = None,
) -> PolicySet:
    text = PolicyText(
        (PolicyDocument("policy.csv", "\n".join(lines)),),
        Dialect.ARGOCD,
        default,
        mode,
        projects={name: PolicyDocument(name, csv) for name, csv in (projects or {}).items()},
    )
    return PolicySet(text, patterns(text))


def promotes(policies: PolicySet, *names: str) -> bool:
    return policies.allows(names, "rollouts", "promote", str(WEB))


def resumes(policies: PolicySet, *names: str, app: str = "shop/web") -> bool:
    return policies.allows(names, "applications", RESUME, app)


def test_nobody_may_do_what_no_line_allows() -> None:
    policies = ours("p, role:dev, rollouts, promote, east/shop/*, allow", "g, alice, role:dev")
    assert promotes(policies, "alice")
    assert not promotes(policies, "bob")
    assert not policies.allows(["alice"], "rollouts", "abort", str(WEB))
    assert not policies.allows(["alice"], "rollouts", "promote", "west/shop/web")


def test_a_deny_for_one_group_wins_over_what_another_allows() -> None:
    lines = ("p, dev, rollouts, *, *, allow", "p, frozen, rollouts, promote, east/*, deny")
    assert promotes(ours(*lines), "alice", "dev")
    assert not promotes(ours(*lines), "alice", "dev", "frozen")
    assert not promotes(ours(*lines, default="role:admin"), "alice", "frozen")


def test_in_argo_cd_a_deny_for_one_group_does_not_bind_another() -> None:
    lines = (
        "p, role:dev, applications, *, */*, allow",
        "p, role:frozen, applications, *, shop/*, deny",
        "g, dev, role:dev",
        "g, frozen, role:frozen",
    )
    assert resumes(argocd(*lines), "alice", "frozen", "dev")
    assert not resumes(argocd(*lines, "g, dev, role:frozen"), "alice", "frozen", "dev")
    # And what everybody has nobody can be denied.
    assert resumes(argocd(*lines, default="role:dev"), "alice", "frozen")


def test_in_argo_cd_a_group_counts_only_if_it_is_granted_a_role() -> None:
    line = "p, dev, applications, *, */*, allow"
    assert not resumes(argocd(line), "alice", "dev")
    assert resumes(argocd(line, "g, dev, role:readonly"), "alice", "dev")
    # For the user there is no such rule.
    assert resumes(argocd(line), "dev")
    # Nor is there for groups in a policy of ours.
    assert promotes(ours("p, dev, rollouts, promote, *, allow"), "alice", "dev")


def test_a_project_s_roles_count_for_its_own_applications_only() -> None:
    csv = "p, proj:shop:ci, applications, action/*, */*, allow\ng, ci, proj:shop:ci"
    policies = argocd(projects={"shop": csv})
    assert resumes(policies, "robot", "ci")
    assert not resumes(policies, "robot", "ci", app="pay/web")


def test_a_broken_project_has_none_and_says_so() -> None:
    policies = argocd(
        "p, alice, applications, *, */*, allow",
        projects={"shop": "p, bob, applications, *, shop/*\n", "pay": "p, bob, *, *, *, allow"},
    )
    assert resumes(policies, "alice")
    assert not resumes(policies, "bob")
    assert resumes(policies, "bob", app="pay/web")
    assert [line.partition(": ")[0] for line in policies.warnings] == ["shop:1"]


def test_the_policy_of_the_article_allows_nothing_until_its_object_is_mended() -> None:
    """A bare project is no application: Argo CD itself says no here."""
    rule = "p, role:team-my-team, applications, action/argoproj.io/Rollout/*, my-project{}, allow"
    grant = "g, my-team, role:team-my-team"
    checkout = Application("my-project", "checkout")
    for verb in set(Verb) - {Verb.GET, Verb.WATCH, Verb.TERMINATE}:
        asked = question(verb, WEB, checkout)
        as_written = argocd(rule.format(""), grant)
        mended = argocd(rule.format("/*"), grant)
        for names in (["my-team"], ["alice", "my-team"]):
            assert not as_written.allows(names, asked.resource, asked.action, asked.object)
            assert mended.allows(names, asked.resource, asked.action, asked.object)


def test_argo_cd_s_administrators_have_every_action_here_too() -> None:
    policies = argocd("g, sre, role:admin")
    for verb in Verb:
        for owner in (Application("shop", "web"), Application("shop", "web", "apps"), None):
            asked = question(verb, WEB, owner)
            assert policies.allows(["a", "sre"], asked.resource, asked.action, asked.object)


def test_argo_cd_s_own_administrators_lose_everything_to_regular_expressions() -> None:
    """`*/*` is none. A recorded decision of Argo CD says the same."""
    assert not resumes(argocd("g, sre, role:admin", mode=MatchMode.REGEX), "a", "sre")
    assert resumes(argocd("p, sre, applications, .*, .*, allow", mode=MatchMode.REGEX), "sre")


def test_a_broken_glob_of_argo_cd_matches_nothing_and_is_told() -> None:
    policies = argocd("p, a, applications, *, [x-a]*, deny", "p, a, applications, *, */*, allow")
    assert resumes(policies, "a")
    assert policies.warnings == [
        "policy.csv:1: column 4: the range x-a is empty: p, a, applications, *, [x-a]*, deny"
    ]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("p, a, rollouts, get, *, Allow", "expected the effect allow or deny, in small letters"),
        ("p, a, rollout, get, *, deny", "resource 'rollout': expected one of rollouts, clusters"),
        ("p, a, rollouts, promte, *, deny", "action 'promte': expected one of get, watch, promote"),
        ("p, a, clusters, promote, *, allow", "action 'promote': expected one of get"),
        ("p, a, rollouts, get, [x-a]*, deny", "object '[x-a]*': column 4: the range x-a is empty"),
        ("p, a, rollouts, get, prod, deny", "object 'prod' matches none, for each is cluster/"),
        ("p, , rollouts, get, *, allow", "expected a subject: a user, a group or a role"),
        ("g, a, role:unheard", "role 'role:unheard' is not known: expected a role that a p or g"),
    ],
)
def test_a_policy_of_ours_with_a_line_that_does_nothing_is_not_taken(
    line: str, problem: str
) -> None:
    with pytest.raises(PolicyError) as caught:
        ours("p, a, rollouts, *, */*, allow", line)
    (said,) = str(caught.value).splitlines()
    assert said.startswith(f"policy.csv:2: {problem}")


def test_braces_cannot_fill_the_memory() -> None:
    bomb = "{a,b}" * 10
    line = f'p, a, rollouts, get, "{bomb}/*/*", deny'
    with pytest.raises(
        PolicyError, match=r"^policy\.csv:98: up to here the policy stands for more"
    ):
        ours(*[line] * 200)
    # Whoever has a project's roles to write harms that project alone.
    csv = "\n".join([f'p, bob, applications, *, "shop/{bomb}", allow'] * 200)
    policies = argocd("p, alice, applications, *, */*, allow", projects={"shop": csv})
    assert resumes(policies, "alice")
    assert not resumes(policies, "bob", app="shop/abababab")
    assert policies.warnings[0].startswith("shop:98: up to here the policy stands for more than")


def test_an_unknown_default_role_is_a_broken_policy() -> None:
    with pytest.raises(PolicyError, match=r"^the default role: role 'role:nobody' is not known"):
        ours(default="role:nobody")


def test_regular_expressions_of_ours_match_whole_texts() -> None:
    document = PolicyDocument("p", "p, a, rollouts, promote, east/shop/.*, allow")
    text = PolicyText((document,), match_mode=MatchMode.REGEX)
    policies = PolicySet(text, patterns(text))
    assert promotes(policies, "a")
    assert not policies.allows(["a"], "rollouts", "promote", "northeast/shop/web")
    assert not policies.allows(["a"], "rollouts", "promote-full", str(WEB))


def test_users_of_equal_rights_are_told_by_the_names_that_count() -> None:
    policies = ours("p, dev, rollouts, *, *, allow")
    assert policies.spoken_of(["alice", "dev", "x"]) == policies.spoken_of(["bob", "y", "dev"])
    assert policies.spoken_of(["alice"]) != policies.spoken_of(["alice", "dev"])
    theirs = argocd("g, dev, role:readonly", projects={"shop": "g, ops, role:readonly"})
    assert theirs.spoken_of(["alice", "dev"]) == theirs.spoken_of(["bob", "dev", "x"])
    assert theirs.spoken_of(["alice", "ops"]) != theirs.spoken_of(["alice"])
    # As a user one is heard otherwise than as a group.
    assert theirs.spoken_of(["dev"]) != theirs.spoken_of(["alice", "dev"])


def test_a_reason_names_the_line_and_the_way_to_it() -> None:
    policies = ours(
        "p, role:base, rollouts, *, east/*, allow",
        "g, role:dev, role:base",
        "g, devs, role:dev",
        "p, alice, rollouts, abort, *, deny",
    )
    names = ["alice", "devs"]
    found = explain(policies, names, "rollouts", "promote", str(WEB))
    assert (found.allowed, found.path) == (True, ("devs", "role:dev", "role:base"))
    assert found.rule is not None
    assert str(found.rule.origin) == "policy.csv:1"
    denied = explain(policies, names, "rollouts", "abort", str(WEB))
    assert (denied.allowed, denied.path) == (False, ("alice",))
    assert str(denied.rule) == "p, alice, rollouts, abort, *, deny"
    nothing = explain(policies, names, "rollouts", "promote", "west/shop/web")
    assert (nothing.allowed, nothing.rule) == (False, None)


@pytest.mark.parametrize("dialect", Dialect)
@pytest.mark.parametrize("mode", MatchMode)
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_a_reason_never_says_other_than_the_decision(
    dialect: Dialect, mode: MatchMode, data: st.DataObject
) -> None:
    text = data.draw(texts(dialect, mode))
    asked = random_question(Random(data.draw(st.integers(0, 2**32))), dialect)
    policies = PolicySet(text, patterns(text))
    assert explain(policies, *asked).allowed is policies.allows(*asked)
