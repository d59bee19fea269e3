"""Who may call a spoke: static tokens for users, and kubeconfigs that carry them."""

import base64
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from testbed.cluster import RBAC, Object

ADMIN = "admin"  # may do everything
READER = "reader"  # may read what Rollgraph reads, and nothing else
NOBODY = "nobody"  # is known, and may do nothing
IMPERSONATOR = "impersonator"  # may be anybody, and nothing as itself
MASTERS = "system:masters"  # the group that RBAC never refuses


class TokenFile:
    """kube-apiserver's ``--token-auth-file``; the server reads it once, at its start."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lines: dict[str, tuple[str, tuple[str, ...]]] = {}
        self.add(ADMIN, [MASTERS])
        for user in (READER, NOBODY, IMPERSONATOR):
            self.add(user)

    def add(self, user: str, groups: Iterable[str] = ()) -> str:
        """Give the user a new token, which replaces an old one, and return it."""
        token = secrets.token_hex(16)
        self._lines[user] = (token, tuple(groups))
        self._write()
        return token

    def remove(self, user: str) -> None:
        """Take the user's token away."""
        del self._lines[user]
        self._write()

    def token(self, user: str) -> str:
        """The user's token; a ``KeyError`` when there is no such user."""
        return self._lines[user][0]

    def _write(self) -> None:
        rows = [
            f'{token},{user},uid-{user},"{",".join(groups)}"\n'
            for user, (token, groups) in self._lines.items()
        ]
        self.path.write_text("".join(rows))
        self.path.chmod(0o600)


@dataclass(frozen=True)
class Access:
    """What a kubeconfig context holds; ``ca`` is PEM text."""

    url: str
    ca: str
    user: str
    token: str


def write_kubeconfig(path: Path, contexts: Mapping[str, Access]) -> Path:
    """Write a kubeconfig with these contexts, the first one being current."""
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": next(iter(contexts), ""),
        "clusters": [
            {"name": name, "cluster": {"server": a.url, "certificate-authority-data": _b64(a.ca)}}
            for name, a in contexts.items()
        ],
        "users": [
            {"name": f"{a.user}@{name}", "user": {"token": a.token}} for name, a in contexts.items()
        ],
        "contexts": [
            {"name": name, "context": {"cluster": name, "user": f"{a.user}@{name}"}}
            for name, a in contexts.items()
        ],
    }
    # Renamed into place: another thread may be reading it.
    scratch = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    scratch.touch(0o600)
    scratch.write_text(yaml.safe_dump(config, sort_keys=False))
    return scratch.replace(path)


def reader_rbac() -> list[Object]:
    """The least that Rollgraph needs to read rollouts, given to the user ``reader``."""
    verbs = ["get", "list", "watch"]
    name = "rollgraph-reader"
    return [
        {
            "apiVersion": RBAC,
            "kind": "ClusterRole",
            "metadata": {"name": name},
            "rules": [
                {
                    "apiGroups": ["argoproj.io"],
                    "resources": ["rollouts", "analysisruns", "experiments"],
                    "verbs": verbs,
                },
                {
                    "apiGroups": ["apps"],
                    "resources": ["replicasets", "deployments"],
                    "verbs": verbs,
                },
                {"apiGroups": [""], "resources": ["pods", "events"], "verbs": verbs},
            ],
        },
        cluster_role_binding(name, name, READER),
    ]


def impersonator_rbac() -> list[Object]:
    """The right to act as any user and group, given to the user ``impersonator``."""
    name = "rollgraph-impersonator"
    rule = {"apiGroups": [""], "resources": ["users", "groups"], "verbs": ["impersonate"]}
    role = {
        "apiVersion": RBAC,
        "kind": "ClusterRole",
        "metadata": {"name": name},
        "rules": [rule],
    }
    return [role, cluster_role_binding(name, name, IMPERSONATOR)]


def cluster_role_binding(name: str, role: str, user: str) -> Object:
    """Give a user a ClusterRole in every namespace."""
    return {
        "apiVersion": RBAC,
        "kind": "ClusterRoleBinding",
        "metadata": {"name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}],
    }


def _b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
