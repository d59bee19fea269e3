"""`rollgraph spoke manifest`: what to apply to a cluster, for people to read first."""

import yaml

from rollgraph.core.identity import IdentityMode
from rollgraph.core.spokerights import ACTIONS, Wanted, manifests

_WHY = {
    IdentityMode.SERVICE_ACCOUNT: (
        "Actions are carried out as this ServiceAccount: the cluster's RBAC and audit do not know",
        "who wanted them; Rollgraph's policy and audit do.",
    ),
    IdentityMode.IMPERSONATE: (
        "Actions are carried out in the name of whoever wants them. They need rights of their own:",
        f"bind the ClusterRole {ACTIONS} to their groups, wherever they may act.",
    ),
    IdentityMode.PASSTHROUGH: (
        "Actions are carried out with the token of whoever wants them, which this cluster must",
        f"trust. They need rights of their own: bind the ClusterRole {ACTIONS} to their groups.",
    ),
}
_NOBODY = (
    "Nobody is named yet, so that no action will be allowed here: name whom Rollgraph may be with",
    "--user and --group, each as often as need be, or with --any-user.",
)
_ANY_USER = (
    "With these rights Rollgraph may be any user, Kubernetes' own parts too, which is about as",
    "much as everything: keep its token like an administrator's, or name users with --user.",
)
_ANY_GROUP = (
    "With these rights Rollgraph may be in any group, system:masters too, which may everything:",
    "keep its token like an administrator's, or name groups with --group.",
)


def document(wanted: Wanted) -> str:
    """The manifests as YAML, with what they mean."""
    lines = ["The least rights that Rollgraph needs on this cluster."]
    if wanted.actions:
        lines += _WHY[wanted.identity]
        if wanted.identity is IdentityMode.IMPERSONATE and not wanted.impersonates:
            lines += _NOBODY
        elif wanted.impersonates:
            lines += _ANY_USER if wanted.any_user else ()
            lines += _ANY_GROUP if wanted.any_group else ()
    else:
        lines.append("It may read, and change nothing.")
    text = "".join(f"# {line}\n" for line in lines)
    return text + yaml.safe_dump_all(
        manifests(wanted), sort_keys=False, explicit_start=True, default_flow_style=False
    )
