"""The rights that Rollgraph needs on a spoke, and not one more, as Kubernetes objects."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import msgspec

from rollgraph.core.identity import IdentityMode

Manifest: TypeAlias = dict[str, Any]

NAME = "rollgraph"
# For people, where the spoke decides about them; nobody has it until it is bound.
ACTIONS = "rollgraph-actions"
_RBAC = "rbac.authorization.k8s.io"
_REQUEST_ID = "rollgraph-request-id"


class Wanted(msgspec.Struct, frozen=True):
    """What Rollgraph is to do on a spoke.

    Attributes:
        identity: As whom it acts.
        actions: Whether it acts at all.
        namespaces: Where it works; empty means everywhere.
        users: Whom it may impersonate. Empty means nobody, unless `any_user`.
        groups: Which groups it may impersonate with them. Empty means none, unless `any_group`.
        home: The namespace of its ServiceAccount.
        any_user: Whether it may impersonate whomever it wants, which is about as much as
            everything: Kubernetes' own parts are users, too.
        any_group: Whether any group, which is everything: `system:masters` may all.
    """

    identity: IdentityMode = IdentityMode.IMPERSONATE
    actions: bool = True
    namespaces: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    home: str = NAME
    any_user: bool = False
    any_group: bool = False

    @property
    def impersonates(self) -> bool:
        """Whether there is somebody whom it may be."""
        somebody = bool(self.users) or self.any_user
        return self.actions and self.identity is IdentityMode.IMPERSONATE and somebody


def manifests(wanted: Wanted) -> list[Manifest]:
    """Everything to apply to a spoke: a ServiceAccount and its rights."""
    found: list[Manifest] = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": wanted.home}},
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": NAME, "namespace": wanted.home},
        },
    ]
    rules = [*_reading(), *(_own_actions(wanted) if wanted.actions else ())]
    if wanted.namespaces:
        for namespace in wanted.namespaces:
            found += _bound("Role", NAME, rules, wanted, namespace)
    else:
        found += _bound("ClusterRole", NAME, rules, wanted)
    if wanted.impersonates:
        found += _bound("ClusterRole", f"{NAME}-impersonate", _impersonating(wanted), wanted)
    if wanted.actions and wanted.identity is not IdentityMode.SERVICE_ACCOUNT:
        found.append(_role("ClusterRole", ACTIONS, _acting()))
    return found


def _reading() -> list[Manifest]:
    """What is watched."""
    verbs = ["list", "watch"]
    return [
        _rule("argoproj.io", ["rollouts", "analysisruns", "experiments"], verbs),
        _rule("apps", ["replicasets", "deployments"], verbs),
        _rule("", ["pods", "events"], verbs),
    ]


def _own_actions(wanted: Wanted) -> list[Manifest]:
    """What Rollgraph does itself: it tells what was done as Events, and may be who does it."""
    telling = _rule("", ["events"], ["create"])
    own = wanted.identity is IdentityMode.SERVICE_ACCOUNT
    return [*(_acting(listing=False) if own else ()), telling]


def _acting(*, listing: bool = True) -> list[Manifest]:
    """What every action together takes.

    Only these are patched: the Rollout and its status, AnalysisRuns and Experiments to end them,
    and what a workloadRef may name. To undo, ReplicaSets are listed; to end an AnalysisRun,
    Experiments are, for one of them may have it.
    """
    changing = ["get", "patch"]
    return [
        _rule("argoproj.io", ["rollouts", "analysisruns", "experiments"], changing),
        _rule("argoproj.io", ["rollouts/status"], ["patch"]),
        _rule("apps", ["deployments", "replicasets"], changing),
        *(_listing() if listing else ()),
        _rule("", ["podtemplates"], changing),
    ]


def _listing() -> list[Manifest]:
    """What whoever watches may anyway."""
    return [
        _rule("apps", ["replicasets"], ["list"]),
        _rule("argoproj.io", ["experiments"], ["list"]),
    ]


def _impersonating(wanted: Wanted) -> list[Manifest]:
    """Whom Rollgraph may be."""
    users, groups = (
        () if wanted.any_user else wanted.users,
        () if wanted.any_group else wanted.groups,
    )
    some_group = wanted.any_group or bool(wanted.groups)
    return [
        _rule("", ["users"], ["impersonate"], users),
        *([_rule("", ["groups"], ["impersonate"], groups)] if some_group else ()),
        _rule("authentication.k8s.io", [f"userextras/{_REQUEST_ID}"], ["impersonate"]),
    ]


def _rule(
    group: str, resources: Sequence[str], verbs: Sequence[str], names: Sequence[str] = ()
) -> Manifest:
    rule: Manifest = {"apiGroups": [group], "resources": list(resources), "verbs": list(verbs)}
    return rule | ({"resourceNames": list(names)} if names else {})


def _role(kind: str, name: str, rules: Sequence[Manifest], namespace: str = "") -> Manifest:
    return {
        "apiVersion": f"{_RBAC}/v1",
        "kind": kind,
        "metadata": {"name": name} | ({"namespace": namespace} if namespace else {}),
        "rules": list(rules),
    }


def _bound(
    kind: str, name: str, rules: Sequence[Manifest], wanted: Wanted, namespace: str = ""
) -> list[Manifest]:
    """A role, and that Rollgraph has it."""
    binding = {
        "apiVersion": f"{_RBAC}/v1",
        "kind": f"{kind}Binding",
        "metadata": {"name": name} | ({"namespace": namespace} if namespace else {}),
        "roleRef": {"apiGroup": _RBAC, "kind": kind, "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": NAME, "namespace": wanted.home}],
    }
    return [_role(kind, name, rules, namespace), binding]
