"""The permissions of an Argo CD, put together as it does itself."""

import json

from rollgraph.core.argocd.objects import ConfigMap, Project, Role, read_project
from rollgraph.core.argocd.policies import policy_text
from rollgraph.core.rbac.text import Dialect, MatchMode, PolicyDocument


def test_the_main_key_comes_first_and_the_others_by_name() -> None:
    data = {
        "policy.z.csv": "z",
        "policy.csv": "main",
        "policy.a.csv": "a",
        "policy.A.csv": "A",
        "policy.default": "role:readonly",
        "other.csv": "no",
        "policy.txt": "no",
    }
    text = policy_text(ConfigMap("argocd-rbac-cm", data), [])
    assert [document.csv for document in text.documents] == ["main", "A", "a", "z"]
    assert text.documents[1].name == "ConfigMap argocd-rbac-cm: policy.A.csv"
    assert text.default_role == "role:readonly"
    assert text.dialect is Dialect.ARGOCD
    assert text.builtin


def test_patterns_are_globs_unless_they_are_said_not_to_be() -> None:
    for said, mode in (("regex", MatchMode.REGEX), ("glob", MatchMode.GLOB), ("x", MatchMode.GLOB)):
        config = ConfigMap("argocd-rbac-cm", {"policy.matchMode": said})
        assert policy_text(config, []).match_mode is mode


def test_without_a_configmap_there_are_the_built_in_roles_alone() -> None:
    text = policy_text(None, [])
    assert text.documents == ()
    assert text.default_role == ""
    assert text.builtin
    assert text.groups_claims == ("groups",)


def test_a_projects_roles_are_spelled_out_as_argocd_does() -> None:
    policies = ["p, proj:shop:ci, applications, action/argoproj.io/Rollout/*, shop/*, allow"]
    manifest = {
        "metadata": {"name": "shop"},
        "spec": {
            "roles": [
                {"name": "ci", "policies": policies, "groups": ["team-a", "team-b"]},
                {"name": "empty", "policies": None},
            ]
        },
    }
    project = read_project(json.dumps(manifest).encode())
    assert policy_text(None, [project, Project("bare")]).projects == {
        "shop": PolicyDocument(
            "AppProject shop",
            "p, proj:shop:ci, projects, get, shop, allow\n"
            f"{policies[0]}\n"
            "g, team-a, proj:shop:ci\n"
            "g, team-b, proj:shop:ci\n"
            "p, proj:shop:empty, projects, get, shop, allow",
        )
    }


def test_the_claims_with_groups_are_handed_on() -> None:
    assert policy_text(None, [], ["groups", "email"]).groups_claims == ("groups", "email")
    assert policy_text(None, [Project("p", (Role("r"),))], []).groups_claims == ("groups",)
