"""The roles that are there without being written down."""

from collections.abc import Sequence

from rollgraph.core.rbac.text import Dialect, MatchMode, PolicyDocument

_ROLLGRAPH = """
p, role:readonly, rollouts, get, *, allow
p, role:readonly, rollouts, watch, *, allow
p, role:readonly, clusters, get, *, allow

p, role:admin, rollouts, *, *, allow
p, role:admin, audit, get, *, allow
g, role:admin, role:readonly
"""

# Argo CD's own, as far as it speaks of applications and clusters.
_ARGOCD = """
p, role:readonly, applications, get, */*, allow
p, role:readonly, clusters, get, *, allow

p, role:admin, applications, create, */*, allow
p, role:admin, applications, update, */*, allow
p, role:admin, applications, update/*, */*, allow
p, role:admin, applications, delete, */*, allow
p, role:admin, applications, delete/*, */*, allow
p, role:admin, applications, sync, */*, allow
p, role:admin, applications, override, */*, allow
p, role:admin, applications, action/*, */*, allow
g, role:admin, role:readonly
g, admin, role:admin
"""

# What Argo CD has no word for.
_BESIDE_ARGOCD = """
p, role:readonly, rollouts, get, *, allow
p, role:readonly, rollouts, watch, *, allow
p, role:admin, rollouts, *, *, allow
p, role:admin, audit, get, *, allow
"""


def builtin(dialect: Dialect, mode: MatchMode) -> Sequence[PolicyDocument]:
    """The built-in policy of a dialect.

    Argo CD reads its own as regular expressions, too, when it is told to, and `*` is none: its
    administrators lose their role then. Here as well; but ours are good in both modes.
    """
    if dialect is Dialect.ROLLGRAPH:
        return (_ours(_ROLLGRAPH, mode),)
    return PolicyDocument("Argo CD's built-in policy", _ARGOCD), _ours(_BESIDE_ARGOCD, mode)


def _ours(csv: str, mode: MatchMode) -> PolicyDocument:
    text = csv if mode is MatchMode.GLOB else csv.replace(" *,", " .*,")
    return PolicyDocument("built-in policy", text)
