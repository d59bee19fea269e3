"""The rights on a spoke: what is in them for whom, and what is not."""

from typing import Any

import pytest
import yaml

from rollgraph.core.identity import IdentityMode
from rollgraph.core.spokerights import ACTIONS, Wanted, manifests
from rollgraph.server.cli import main

Manifest = dict[str, Any]
EVERY_MODE = list(IdentityMode)


def rights(wanted: Wanted) -> set[tuple[str, str]]:
    """What is bound to Rollgraph itself: resource and verb."""
    made = manifests(wanted)
    bound = {item["roleRef"]["name"] for item in made if item["kind"].endswith("Binding")}
    return {
        (resource, verb)
        for item in made
        if item["metadata"]["name"] in bound
        for rule in item.get("rules", ())
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def named(wanted: Wanted, kind: str, name: str) -> Manifest | None:
    found = (
        item
        for item in manifests(wanted)
        if (item["kind"], item["metadata"]["name"]) == (kind, name)
    )
    return next(found, None)


@pytest.mark.parametrize("identity", EVERY_MODE)
def test_who_only_reads_lists_and_watches(identity: IdentityMode) -> None:
    verbs = {verb for _, verb in rights(Wanted(identity, actions=False))}
    assert verbs == {"list", "watch"}
    assert named(Wanted(identity, actions=False), "ClusterRole", ACTIONS) is None


def test_only_who_acts_as_itself_may_patch() -> None:
    assert ("rollouts/status", "patch") in rights(Wanted(IdentityMode.SERVICE_ACCOUNT))
    for identity in (IdentityMode.IMPERSONATE, IdentityMode.PASSTHROUGH):
        assert not {verb for _, verb in rights(Wanted(identity))} & {"patch", "update", "get"}
        assert named(Wanted(identity), "ClusterRole", ACTIONS) is not None


def test_who_acts_in_their_own_name_may_find_what_an_action_looks_for() -> None:
    people = named(Wanted(IdentityMode.IMPERSONATE), "ClusterRole", ACTIONS)
    assert people is not None
    listed = {rule["resources"][0] for rule in people["rules"] if rule["verbs"] == ["list"]}
    assert listed == {"replicasets", "experiments"}


def test_only_who_impersonates_may_impersonate() -> None:
    for identity in EVERY_MODE:
        wanted = Wanted(identity, users=("alice",), groups=("dev",))
        may = "impersonate" in {verb for _, verb in rights(wanted)}
        assert may is (identity is IdentityMode.IMPERSONATE)


@pytest.mark.parametrize("identity", EVERY_MODE)
def test_nothing_is_ever_deleted_or_owned(identity: IdentityMode) -> None:
    for resource, verb in rights(Wanted(identity)):
        assert verb not in {"*", "delete", "deletecollection", "bind", "escalate", "update"}
        assert "*" not in resource
        assert "secrets" not in resource


@pytest.mark.parametrize("wanted", [Wanted(), Wanted(groups=("dev",)), Wanted(any_group=True)])
def test_nobody_is_impersonated_who_is_not_named(wanted: Wanted) -> None:
    assert "impersonate" not in {verb for _, verb in rights(wanted)}


def test_no_group_is_impersonated_that_is_not_named() -> None:
    for wanted in (Wanted(users=("alice",)), Wanted(any_user=True)):
        assert ("users", "impersonate") in rights(wanted)
        assert ("groups", "impersonate") not in rights(wanted)


def test_anybody_is_impersonated_only_where_that_is_said() -> None:
    role = named(Wanted(any_user=True, any_group=True), "ClusterRole", "rollgraph-impersonate")
    assert role is not None
    assert not any("resourceNames" in rule for rule in role["rules"])


def test_names_limit_who_is_impersonated() -> None:
    role = named(
        Wanted(users=("alice",), groups=("dev", "ops")), "ClusterRole", "rollgraph-impersonate"
    )
    assert role is not None
    names = {rule["resources"][0]: rule.get("resourceNames") for rule in role["rules"]}
    assert (names["users"], names["groups"]) == (["alice"], ["dev", "ops"])


def test_namespaces_limit_where() -> None:
    wanted = Wanted(IdentityMode.SERVICE_ACCOUNT, namespaces=("shop", "mail"))
    kinds = [(item["kind"], item["metadata"].get("namespace")) for item in manifests(wanted)]
    assert ("ClusterRole", None) not in kinds
    assert [kind for kind in kinds if kind[0] == "Role"] == [("Role", "shop"), ("Role", "mail")]


def test_it_is_printed_as_yaml(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["spoke", "manifest", "--identity", "serviceAccount", "--home", "argo"]) == 0
    printed = list(yaml.safe_load_all(capsys.readouterr().out))
    assert printed == manifests(Wanted(IdentityMode.SERVICE_ACCOUNT, home="argo"))


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        ([], "no action will be allowed here"),
        (["--any-user"], "may be any user"),
        (["--user", "alice", "--any-group"], "may be in any group"),
        (["--user", "alice", "--group", "dev"], ""),
    ],
)
def test_it_warns_of_who_may_be_anybody_or_nobody(
    capsys: pytest.CaptureFixture[str], flags: list[str], told: str
) -> None:
    main(["spoke", "manifest", *flags])
    printed = capsys.readouterr().out
    warnings = ("no action will be allowed here", "may be any user", "may be in any group")
    assert [each for each in warnings if each in printed] == ([told] if told else [])


def test_groups_alone_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["spoke", "manifest", "--group", "dev"]) == 2
    assert "--group: expected --user NAME or --any-user beside it" in capsys.readouterr().err
