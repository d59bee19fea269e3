"""A policy as it is handed over: its text, and how it is to be read."""

from collections.abc import Mapping
from enum import StrEnum

import msgspec


class Dialect(StrEnum):
    """Whose rules a policy is read by; docs/rbac.md lists the differences.

    ROLLGRAPH: ours, strict. ARGOCD: a policy that was written for Argo CD and means here what it
    means there, oddities included.
    """

    ROLLGRAPH = "rollgraph"
    ARGOCD = "argocd"


class MatchMode(StrEnum):
    """What the patterns of a policy are."""

    GLOB = "glob"
    REGEX = "regex"


class PolicyDocument(msgspec.Struct, frozen=True):
    """A piece of a policy.

    Attributes:
        name: Where it stands, for people: a path, "argocd-rbac-cm: policy.csv".
        csv: A line for each rule and each grant of a role.
    """

    name: str
    csv: str


class PolicyText(msgspec.Struct, frozen=True):
    """A whole policy, not looked at yet.

    Attributes:
        documents: Read one after the other, as if they were one.
        default_role: What everybody has who is logged in; "" for nothing.
        groups_claims: The claims of a token in which the groups are.
        builtin: Whether the built-in roles are there without being written down.
        projects: By name of an Argo CD project: what is added for that project's applications.
    """

    documents: tuple[PolicyDocument, ...]
    dialect: Dialect = Dialect.ROLLGRAPH
    default_role: str = ""
    match_mode: MatchMode = MatchMode.GLOB
    groups_claims: tuple[str, ...] = ("groups",)
    builtin: bool = True
    projects: Mapping[str, PolicyDocument] = {}
