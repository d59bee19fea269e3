"""The permissions of an Argo CD, as its ConfigMap and its projects have them."""

from collections.abc import Iterable, Iterator, Sequence

from rollgraph.core.argocd.objects import ConfigMap, Project
from rollgraph.core.rbac.text import Dialect, MatchMode, PolicyDocument, PolicyText

_MAIN = "policy.csv"
# A token's groups, where argocd-rbac-cm does not say which claims to look at.
DEFAULT_SCOPES = ("groups",)


def policy_text(
    rbac: ConfigMap | None,
    projects: Iterable[Project],
    scopes: Sequence[str] = DEFAULT_SCOPES,
) -> PolicyText:
    """The whole policy; without argocd-rbac-cm it is the built-in roles alone.

    Args:
        rbac: argocd-rbac-cm.
        projects: All AppProjects, whose roles count for their own applications only.
        scopes: What argocd-rbac-cm says under `scopes`.
    """
    data = rbac.data if rbac is not None else {}
    name = rbac.name if rbac is not None else ""
    regex = data.get("policy.matchMode") == MatchMode.REGEX
    return PolicyText(
        documents=tuple(
            PolicyDocument(f"ConfigMap {name}: {key}", data[key]) for key in _keys(data)
        ),
        dialect=Dialect.ARGOCD,
        default_role=data.get("policy.default", ""),
        match_mode=MatchMode.REGEX if regex else MatchMode.GLOB,
        groups_claims=tuple(scopes) or DEFAULT_SCOPES,
        projects={project.name: _document(project) for project in projects if project.roles},
    )


def _keys(data: Iterable[str]) -> Iterator[str]:
    """Those with policies: `policy.csv`, then every other `policy.*.csv` by name."""
    present = sorted(data)
    yield from (key for key in present if key == _MAIN)
    for key in present:
        if key.startswith("policy.") and key.endswith(".csv") and key != _MAIN:
            yield key


def _document(project: Project) -> PolicyDocument:
    """A project's roles as Argo CD spells them out.

    Whoever has a role of a project may see the project, too.
    """
    lines: list[str] = []
    for role in project.roles:
        subject = f"proj:{project.name}:{role.name}"
        lines.append(f"p, {subject}, projects, get, {project.name}, allow")
        lines += role.policies or ()
        lines += (f"g, {group}, {subject}" for group in role.groups or ())
    return PolicyDocument(f"AppProject {project.name}", "\n".join(lines))
