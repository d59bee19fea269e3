"""Argo CD's objects, of each only what is used.

They are read from the hub by the thousand and change with every heartbeat of Argo CD. What is kept
of them is small, and equal as long as nothing of it changed.
"""

from datetime import datetime
from typing import Any

import msgspec

from rollgraph.core.errors import UnreadableError
from rollgraph.core.objects.meta import EPOCH, Meta, Read
from rollgraph.core.refs import Kind, ObjectKey

ROLLOUT_GROUP = "argoproj.io"
SKIP_ANNOTATION = "argocd.argoproj.io/skip-reconcile"
# Labels that Argo CD sets itself: of no use to tell clusters apart.
_SYSTEM = "argocd.argoproj.io/"


class ClusterSecret(msgspec.Struct, frozen=True):
    """A Secret that describes a cluster. Its content is no part of any text.

    Attributes:
        created: When it was made: of two that say the same the older one counts.
        skipped: True if Argo CD was told to leave the cluster alone.
        data: Its content, decoded.
    """

    name: str
    created: datetime
    labels: dict[str, str]
    skipped: bool
    data: dict[str, bytes]

    def __repr__(self) -> str:
        return f"ClusterSecret({self.name!r})"


class ConfigMap(msgspec.Struct, frozen=True):
    """A ConfigMap."""

    name: str
    data: dict[str, str]


class Role(Read, frozen=True):
    """A role of a project: policies in casbin's words, and groups who have it."""

    name: str = ""
    policies: list[str] | None = None
    groups: list[str] | None = None


class Project(msgspec.Struct, frozen=True):
    """An AppProject.

    Attributes:
        source_namespaces: Patterns of namespaces beside Argo CD's own from which applications may
            belong to it.
    """

    name: str
    roles: tuple[Role, ...] = ()
    source_namespaces: tuple[str, ...] = ()


class Destination(Read, frozen=True):
    """Where an application's objects live: a cluster by its address or by its name."""

    server: str = ""
    name: str = ""


class TrackedApplication(msgspec.Struct, frozen=True):
    """An Application.

    Attributes:
        key: Its own namespace, on the hub, and its name.
        rollouts: The rollouts, as `namespace/name`, among the objects that Argo CD itself says it
            manages.
    """

    key: ObjectKey
    project: str
    destination: Destination
    rollouts: frozenset[str]


class _RawSecret(Read, frozen=True):
    metadata: Meta
    data: dict[str, bytes] | None = None


class _RawConfigMap(Read, frozen=True):
    metadata: Meta
    data: dict[str, str] | None = None


class _ProjectSpec(Read, frozen=True):
    roles: list[Role] | None = None
    source_namespaces: list[str] | None = None


class _RawProject(Read, frozen=True):
    metadata: Meta
    spec: _ProjectSpec = _ProjectSpec()


class _Resource(Read, frozen=True):
    group: str = ""
    kind: str = ""
    namespace: str = ""
    name: str = ""


class _ApplicationSpec(Read, frozen=True):
    project: str = ""
    destination: Destination = Destination()


class _ApplicationStatus(Read, frozen=True):
    resources: list[_Resource] | None = None


class _RawApplication(Read, frozen=True):
    metadata: Meta
    spec: _ApplicationSpec = _ApplicationSpec()
    status: _ApplicationStatus | None = None


_secrets = msgspec.json.Decoder(_RawSecret)
_config_maps = msgspec.json.Decoder(_RawConfigMap)
_projects = msgspec.json.Decoder(_RawProject)
_applications = msgspec.json.Decoder(_RawApplication)


def read_secret(raw: bytes | msgspec.Raw) -> ClusterSecret:
    """Reads a cluster's Secret; `UnreadableError` tells where it is odd, and nothing of it."""
    found = _read(_secrets, raw)
    meta = found.metadata
    return ClusterSecret(
        name=meta.name,
        created=meta.creation_timestamp or EPOCH,
        labels={k: v for k, v in (meta.labels or {}).items() if not k.startswith(_SYSTEM)},
        skipped=meta.annotation(SKIP_ANNOTATION) == "true",
        data=found.data or {},
    )


def read_config_map(raw: bytes | msgspec.Raw) -> ConfigMap:
    """Reads a ConfigMap."""
    found = _read(_config_maps, raw)
    return ConfigMap(found.metadata.name, found.data or {})


def read_project(raw: bytes | msgspec.Raw) -> Project:
    """Reads an AppProject."""
    found = _read(_projects, raw)
    spec = found.spec
    return Project(
        found.metadata.name, tuple(spec.roles or ()), tuple(spec.source_namespaces or ())
    )


def read_application(raw: bytes | msgspec.Raw) -> TrackedApplication:
    """Reads an Application."""
    found = _read(_applications, raw)
    managed = (found.status.resources if found.status is not None else None) or ()
    return TrackedApplication(
        key=ObjectKey(found.metadata.namespace, found.metadata.name),
        project=found.spec.project or "default",
        destination=found.spec.destination,
        rollouts=frozenset(
            f"{item.namespace}/{item.name}"
            for item in managed
            if item.group == ROLLOUT_GROUP and item.kind == Kind.ROLLOUT
        ),
    )


def _read(decoder: "msgspec.json.Decoder[Any]", raw: bytes | msgspec.Raw) -> Any:
    try:
        return decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        # "Expected `str`, got `int` - at `$.spec.project`": types and places, no values.
        raise UnreadableError(f"not as Argo CD has it: {error}") from None
