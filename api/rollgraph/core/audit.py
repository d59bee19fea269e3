"""What the audit keeps: who wanted what, why, whether they might, and what came of it."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from rollgraph.core.actions.plan import Patch
from rollgraph.core.decision import ALLOWED, Decision, Layer
from rollgraph.core.filtering import StringFilter, string_predicate
from rollgraph.core.refs import RolloutRef
from rollgraph.core.texts import shortened
from rollgraph.core.viewer import Login, Viewer

# Characters that a text of an entry may have; Kubernetes cuts an event's message there, too.
MAX_TEXT = 1024
# What is kept of a viewer's groups: some directories give a person hundreds.
MAX_GROUPS = 50
# How far into a body a patch is told: `spec.template`, but not the values of its environment.
_DEPTH = 2
_MAX_FIELDS = 20


class Deed(StrEnum):
    """What is audited besides the actions on rollouts, which have a `Verb`."""

    LOGIN = "login"
    LOGOUT = "logout"
    POLICY = "load-policy"
    READ_AUDIT = "read-audit"


class Result(StrEnum):
    """What came of it.

    APPLIED: done. UNCHANGED: it was so already. DRY_RUN: nothing was to be done. REFUSED: the
    viewer may not. NOT_APPLICABLE: the rollout does not allow it now. CONFLICT: the rollout is not
    where the viewer saw it, or somebody else was faster each time; nothing was done. FAILED: it was
    not done, or only in part. UNKNOWN: it was tried, and the answer got lost.
    """

    APPLIED = "APPLIED"
    UNCHANGED = "UNCHANGED"
    DRY_RUN = "DRY_RUN"
    REFUSED = "REFUSED"
    NOT_APPLICABLE = "NOT_APPLICABLE"
    CONFLICT = "CONFLICT"
    FAILED = "FAILED"
    UNKNOWN = "UNKNOWN"

    @property
    def tried(self) -> bool:
        """True if something was, or may have been, changed."""
        return self in _TRIED


_TRIED = (Result.APPLIED, Result.FAILED, Result.UNKNOWN)


# Who does what nobody asks for in a request.
GATEWAY = Viewer("rollgraph", login=Login.NONE)


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One decision and its result, as whoever decided tells it. It holds no secret.

    Attributes:
        viewer: Who.
        verb: What: a `Verb`, or a `Deed`.
        result: What came of it.
        decision: Whether they might, else which layer refused.
        ref: Which rollout; None if it is about none.
        uid: Of that rollout, if it was read: another of the same name has another.
        object: What of the rollout it is about, such as "AnalysisRun/checkout-7d4-2"; "" for the
            rollout itself.
        reason: Why, in the viewer's own words.
        message: What happened, for a person.
        patches: What was sent, or would have been, as `told` tells it.
        version_before: The resourceVersion that it was decided on.
        version_after: The one that it led to.
        seconds: How long it took.
        operation: Names a bulk, or a request that may be repeated; equal for all that belong to it.
        acted_as: Who did it as the spoke saw it, if the spoke was asked.
        request_id: Of the request, as in the logs and in the answer.
    """

    viewer: Viewer
    verb: str
    result: Result
    decision: Decision = ALLOWED
    ref: RolloutRef | None = None
    uid: str = ""
    object: str = ""
    reason: str = ""
    message: str = ""
    patches: tuple[str, ...] = ()
    version_before: str = ""
    version_after: str = ""
    seconds: float = 0.0
    operation: str = ""
    acted_as: str = ""
    request_id: str = ""

    @property
    def changed(self) -> bool:
        """True if a rollout or the policy was, or may have been, changed."""
        return self.result.tried and self.verb not in _PASSING


# Anybody may do so as often as they like.
_PASSING = (Deed.LOGIN, Deed.LOGOUT)


class AuditRow(msgspec.Struct, frozen=True):
    """An entry as it is kept.

    Attributes:
        id: A UUID of version 7: the later one is the greater.
        at: When it was told, in UTC.
    """

    id: str
    at: datetime
    entry: AuditEntry


class AuditFilter(msgspec.Struct, frozen=True):
    """Which rows; every part that is set must hold.

    Attributes:
        allowed: Whether the viewer might.
        refused_by: Which of the layers refused.
        since: At this time or later.
        until: Before this time.
    """

    subject: StringFilter | None = None
    verb: StringFilter | None = None
    cluster: StringFilter | None = None
    namespace: StringFilter | None = None
    name: StringFilter | None = None
    operation: StringFilter | None = None
    allowed: bool | None = None
    refused_by: tuple[Layer, ...] | None = None
    result: tuple[Result, ...] | None = None
    since: datetime | None = None
    until: datetime | None = None


def bounded(entry: AuditEntry) -> AuditEntry:
    """An entry whose texts are no longer than the audit keeps them."""
    viewer = msgspec.structs.replace(
        entry.viewer,
        subject=shortened(entry.viewer.subject, MAX_TEXT),
        groups=tuple(shortened(group, MAX_TEXT) for group in entry.viewer.groups[:MAX_GROUPS]),
    )
    return msgspec.structs.replace(
        entry,
        viewer=viewer,
        reason=shortened(entry.reason, MAX_TEXT),
        message=shortened(entry.message, MAX_TEXT),
        object=shortened(entry.object, MAX_TEXT),
        operation=shortened(entry.operation, MAX_TEXT),
        acted_as=shortened(entry.acted_as, MAX_TEXT),
    )


def told(patch: Patch) -> str:
    """A patch in one line, with the fields that it sets but never with what it sets them to.

    Values may be anything: a template that is brought back has the passwords of its environment.
    """
    part = f"/{patch.subresource}" if patch.subresource else ""
    fields = list(dict.fromkeys(_fields(patch.body)))
    more = ["..."] if len(fields) > _MAX_FIELDS else []
    return f"{patch.resource}{part} {patch.key}: {', '.join(fields[:_MAX_FIELDS] + more)}"


def predicate(wanted: AuditFilter | None) -> Callable[[AuditRow], bool]:
    """Tells which rows match; raises `BadFilterError` for a filter that makes no sense."""
    if wanted is None:
        return lambda _: True
    tests = [*_on_texts(wanted), *_on_outcome(wanted)]
    return lambda row: all(test(row) for test in tests)


def _on_texts(wanted: AuditFilter) -> Iterable[Callable[[AuditRow], bool]]:
    texts: tuple[tuple[StringFilter | None, Callable[[AuditEntry], str]], ...] = (
        (wanted.verb, lambda entry: entry.verb),
        (wanted.subject, lambda entry: entry.viewer.subject),
        (wanted.cluster, lambda entry: entry.ref.cluster if entry.ref else ""),
        (wanted.namespace, lambda entry: entry.ref.namespace if entry.ref else ""),
        (wanted.name, lambda entry: entry.ref.name if entry.ref else ""),
        (wanted.operation, lambda entry: entry.operation),
    )
    for condition, of in texts:
        if condition is not None:
            yield _on_text(string_predicate(condition), of)


def _on_text(
    holds: Callable[[str], bool], of: Callable[[AuditEntry], str]
) -> Callable[[AuditRow], bool]:
    return lambda row: holds(of(row.entry))


def _on_outcome(wanted: AuditFilter) -> Iterable[Callable[[AuditRow], bool]]:
    allowed, since, until = wanted.allowed, wanted.since, wanted.until
    layers, results = wanted.refused_by, wanted.result
    if allowed is not None:
        yield lambda row: row.entry.decision.allowed is allowed
    if layers is not None:
        yield lambda row: row.entry.decision.refused_by in layers
    if results is not None:
        yield lambda row: row.entry.result in results
    if since is not None:
        yield lambda row: row.at >= since
    if until is not None:
        yield lambda row: row.at < until


def _fields(body: Any, path: str = "", depth: int = 0) -> Iterable[str]:
    """The paths that a body sets, with dots; of a JSON patch, those that its operations name."""
    if isinstance(body, list):
        for operation in body:
            parts = str(operation.get("path", "")).strip("/").split("/")
            yield ".".join(parts[:_DEPTH])
    elif isinstance(body, Mapping) and body and depth < _DEPTH:
        for name, value in body.items():
            yield from _fields(value, f"{path}.{name}" if path else str(name), depth + 1)
    else:
        yield path
