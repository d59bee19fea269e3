"""From the bytes of an API server to typed objects.

Nothing that a spoke sends can raise here but `UnreadableError`.
"""

import zlib
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import msgspec

from rollgraph.core.errors import UnreadableError
from rollgraph.core.objects.analysis import AnalysisRun, Experiment
from rollgraph.core.objects.event import KubeEvent
from rollgraph.core.objects.meta import (
    LAST_APPLIED_ANNOTATION,
    KubeObject,
    Meta,
    OwnerReference,
    Read,
)
from rollgraph.core.objects.rollout import Rollout
from rollgraph.core.objects.sharing import share
from rollgraph.core.objects.workloads import Deployment, Pod, ReplicaSet
from rollgraph.core.refs import Kind

TYPES: dict[Kind, type[KubeObject]] = {
    Kind.ROLLOUT: Rollout,
    Kind.REPLICA_SET: ReplicaSet,
    Kind.POD: Pod,
    Kind.ANALYSIS_RUN: AnalysisRun,
    Kind.EXPERIMENT: Experiment,
    Kind.DEPLOYMENT: Deployment,
    Kind.EVENT: KubeEvent,
}


class WatchEvent(Read, frozen=True):
    """One line of a watch; the object is decoded later, by kind."""

    type: Literal["ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR"]
    object: msgspec.Raw


class ListMeta(Read, frozen=True):
    """The metadata of a list. `continue_` is set while there are more pages."""

    resource_version: str = ""
    continue_: str = msgspec.field(default="", name="continue")


class ObjectList(Read, frozen=True):
    """One page of a list; the items are decoded later, by kind."""

    metadata: ListMeta = ListMeta()
    items: list[msgspec.Raw] | None = None


class StatusCause(Read, frozen=True):
    """One cause of a failed request."""

    reason: str = ""
    message: str = ""


class StatusDetails(Read, frozen=True):
    """Details of a failed request; `name` is the object's, if it is about one."""

    name: str = ""
    causes: list[StatusCause] | None = None
    retry_after_seconds: int = 0


class Status(Read, frozen=True):
    """How an API server explains a failure, as an answer's body or as an ERROR event."""

    code: int = 0
    reason: str = ""
    message: str = ""
    details: StatusDetails | None = None


class BookmarkMeta(Read, frozen=True):
    """The metadata of a bookmark, which is of no object and so has no name."""

    resource_version: str = ""
    annotations: dict[str, str] | None = None

    def annotation(self, key: str) -> str:
        """The annotation's value, or "" without it."""
        return (self.annotations or {}).get(key, "")


class _Bookmark(Read, frozen=True):
    metadata: BookmarkMeta = BookmarkMeta()


class _Bare(Read, frozen=True):
    metadata: Meta


_events = msgspec.json.Decoder(WatchEvent)
_lists = msgspec.json.Decoder(ObjectList)
_statuses = msgspec.json.Decoder(Status)
_bookmarks = msgspec.json.Decoder(_Bookmark)
_bare = msgspec.json.Decoder(_Bare)
_objects = {kind: msgspec.json.Decoder(type_) for kind, type_ in TYPES.items()}
_manifests = msgspec.json.Decoder(dict[str, Any])
_values = msgspec.json.Decoder()
_encoder = msgspec.json.Encoder()

# What decoding may raise; msgspec skips what it does not decode, but recurses into that as well.
_BROKEN = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
# A usual object is nested 15 levels deep. The API server takes 10000, which no reader of our
# answers would; JSON encoders stop at about 250.
_LEVELS = 100


def watch_event(line: bytes) -> WatchEvent:
    """Reads one line of a watch; `UnreadableError` for anything that is not an event."""
    try:
        return _events.decode(line)
    except _BROKEN as error:
        raise UnreadableError(f"not a watch event: {error}: {line[:80]!r}") from error


def object_list(body: bytes) -> ObjectList:
    """Reads one page of a list."""
    try:
        return _lists.decode(body)
    except _BROKEN as error:
        raise UnreadableError(f"not a list: {error}: {body[:80]!r}") from error


def status(body: bytes) -> Status:
    """Reads a Status.

    A body that is none (a load balancer's page) gives one with code 0 and no message.
    """
    try:
        return _statuses.decode(body)
    except _BROKEN:
        return Status()


def bookmark(raw: bytes | msgspec.Raw) -> BookmarkMeta:
    """Reads the metadata of a BOOKMARK event's object."""
    try:
        return _bookmarks.decode(raw).metadata
    except _BROKEN as error:
        raise UnreadableError(f"not a bookmark: {error}") from error


def kube_object(kind: Kind, raw: bytes | msgspec.Raw) -> KubeObject:
    """Reads one object of a kind.

    An object with a field of an unexpected type comes back with its metadata alone and the reason
    in `unreadable`: one broken object must not hide the others. `UnreadableError` is raised only if
    even the metadata make no sense.
    """
    try:
        decoded = _typed(kind, raw)
        _refuse_deep(decoded)
    except _BROKEN as error:
        decoded = TYPES[kind](metadata=_bare_metadata(raw), unreadable=str(error))
    decoded = msgspec.structs.replace(decoded, metadata=_trimmed(decoded.metadata))
    if isinstance(decoded, Rollout):
        decoded = msgspec.structs.replace(decoded, manifest=_manifest(raw))
    elif isinstance(decoded, KubeEvent):
        decoded = _adopted(decoded)
    share(decoded)
    return decoded


def read_object(kind: Kind, document: Mapping[str, Any]) -> KubeObject:
    """Reads an object whose JSON is decoded already, for the moment: nothing is kept of it.

    A field of an unexpected type is told in `unreadable`, as `kube_object` does. `UnreadableError`
    is raised only if even the metadata make no sense.
    """
    try:
        return msgspec.structs.replace(_converted(kind, document), unreadable="")
    except _BROKEN as error:
        broken = str(error)
    try:
        return TYPES[kind](metadata=msgspec.convert(document, _Bare).metadata, unreadable=broken)
    except _BROKEN as error:
        raise UnreadableError(f"an object without readable metadata: {error}") from error


def _converted(kind: Kind, document: Mapping[str, Any]) -> KubeObject:
    try:
        return msgspec.convert(document, TYPES[kind])
    except msgspec.ValidationError as error:
        try:
            return msgspec.convert(_without_nulls(document), TYPES[kind])
        except msgspec.ValidationError:
            raise error from None


def _adopted(event: KubeEvent) -> KubeEvent:
    """The event as a belonging of what it is about, which its own metadata do not say."""
    about = event.involved_object
    owner = OwnerReference(kind=about.kind, name=about.name, uid=about.uid)
    metadata = msgspec.structs.replace(event.metadata, owner_references=[owner])
    return msgspec.structs.replace(event, metadata=metadata)


def _typed(kind: Kind, raw: bytes | msgspec.Raw) -> KubeObject:
    try:
        decoded = _objects[kind].decode(raw)
    except msgspec.ValidationError as error:
        # Go writes and reads null where a plain value is absent; so do we, but only on this rare
        # path, for it takes a second decoding.
        try:
            decoded = msgspec.convert(_without_nulls(_values.decode(raw)), TYPES[kind])
        except msgspec.ValidationError:
            raise error from None
    # Fields of ours have names on the wire too; what a spoke might send under them is nothing.
    return msgspec.structs.replace(decoded, unreadable="")


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value


def _refuse_deep(decoded: KubeObject) -> None:
    """Raises for an object whose free-form parts are nested too deep to be passed on."""
    parts: Iterable[Any] = ()
    if isinstance(decoded, Rollout) and decoded.spec.strategy.canary is not None:
        canary = decoded.spec.strategy.canary
        parts = (canary.steps, canary.traffic_routing, canary.ping_pong)
    elif isinstance(decoded, AnalysisRun):
        parts = [metric.provider for metric in decoded.spec.metrics or ()]
    if any(_deep(part, _LEVELS) for part in parts):
        raise msgspec.ValidationError(f"nested more than {_LEVELS} levels deep")


def _deep(value: Any, levels: int) -> bool:
    """Whether there is anything below so many levels of objects and lists.

    Level by level, for all at once: by a call for each value it took two thirds of reading a
    rollout.
    """
    level = [value] if type(value) in {dict, list} else []
    for _ in range(levels - 1):
        level = [
            child
            for item in level
            for child in (item.values() if type(item) is dict else item)
            if type(child) is dict or type(child) is list
        ]
        if not level:
            return False
    return any(level)


def _bare_metadata(raw: bytes | msgspec.Raw) -> Meta:
    try:
        return _bare.decode(raw).metadata
    except _BROKEN as error:
        raise UnreadableError(f"an object without readable metadata: {error}") from error


def _trimmed(meta: Meta) -> Meta:
    """Without the copy of the whole object that kubectl keeps in an annotation."""
    if LAST_APPLIED_ANNOTATION not in (meta.annotations or {}):
        return meta
    kept = {k: v for k, v in (meta.annotations or {}).items() if k != LAST_APPLIED_ANNOTATION}
    return msgspec.structs.replace(meta, annotations=kept)


def _manifest(raw: bytes | msgspec.Raw) -> bytes:
    """The object as JSON without managedFields and last-applied, compressed: 1.7 KB of 12.3 KB for
    a usual canary. Empty if it cannot be passed on.
    """
    try:
        body = _manifests.decode(raw)
        if _deep(body, _LEVELS):
            return b""
    except _BROKEN:
        return b""
    metadata = body["metadata"]
    metadata.pop("managedFields", None)
    if metadata.get("annotations"):
        metadata["annotations"].pop(LAST_APPLIED_ANNOTATION, None)
    return zlib.compress(_encoder.encode(body), level=1)
