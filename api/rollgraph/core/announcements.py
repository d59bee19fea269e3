"""What was done to a rollout, as a Kubernetes Event on it: for `kubectl describe rollout`."""

import uuid
from datetime import datetime
from typing import Any

from rollgraph.core.audit import MAX_TEXT, AuditEntry, AuditRow, Result
from rollgraph.core.refs import RolloutRef
from rollgraph.core.texts import one_line, shortened
from rollgraph.core.verbs import Verb

COMPONENT = "rollgraph"

# Of a name's 253 characters, what 33 for the id of the row leave.
_MAX_NAME = 220
# A message has 1,024; a reason gets half, so that it never pushes out what was done.
_MAX_REASON = MAX_TEXT // 2
_MAX_SUBJECT = 256

_DID: dict[str, str] = {
    Verb.PROMOTE: "promoted",
    Verb.PROMOTE_FULL: "promoted in full",
    Verb.SKIP_STEP: "skipped a step",
    Verb.JUMP_TO_STEP: "jumped to another step",
    Verb.ABORT: "aborted",
    Verb.RETRY: "retried",
    Verb.PAUSE: "paused",
    Verb.RESUME: "resumed",
    Verb.RESTART: "restarted",
    Verb.UNDO: "undid",
    Verb.SET_IMAGE: "set an image",
    Verb.TERMINATE: "terminated",
}


def announcement(row: AuditRow) -> dict[str, Any] | None:
    """The Event that tells a row, or None if the rollout was not changed.

    Its name is made of the row's id, so that creating it twice makes one. It has the older form of
    an Event: the one that `kubectl describe` and our own watch find by the object involved.
    """
    entry = row.entry
    if entry.ref is None or not entry.uid or not _changed(entry):
        return None
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {
            "namespace": entry.ref.namespace,
            "name": f"{entry.ref.name[:_MAX_NAME].rstrip('.-')}.{uuid.UUID(row.id).hex}",
        },
        "involvedObject": _involved(entry.ref, entry),
        "type": "Normal" if entry.result is Result.APPLIED else "Warning",
        "reason": reason(entry.verb),
        "message": message(entry),
        "source": {"component": COMPONENT},
        "reportingComponent": COMPONENT,
        "firstTimestamp": _seconds(row.at),
        "lastTimestamp": _seconds(row.at),
        "count": 1,
    }


def reason(verb: str) -> str:
    """The verb as reasons of Events are written: `RollgraphPromoteFull`."""
    return "Rollgraph" + "".join(part.capitalize() for part in verb.split("-"))


def message(entry: AuditEntry) -> str:
    """What was done, by whom and why, in one line of at most 1,024 characters."""
    who = shortened(one_line(entry.viewer.subject), _MAX_SUBJECT)
    did = _DID.get(entry.verb, entry.verb)
    if entry.result is not Result.APPLIED:
        did = f"{did} in part only"
    what = f" {one_line(entry.object)}" if entry.object else ""
    why = f" (reason: {one_line(entry.reason)}"[: _MAX_REASON - 1] + ")" if entry.reason else ""
    how = f": {one_line(entry.message)}" if entry.message else ""
    return shortened(f"{who} {did}{what}{how}", MAX_TEXT - len(why)) + why


def _changed(entry: AuditEntry) -> bool:
    halfway = entry.result is Result.FAILED and bool(entry.version_after)
    return entry.result is Result.APPLIED or halfway


def _involved(ref: RolloutRef, entry: AuditEntry) -> dict[str, str]:
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Rollout",
        "namespace": ref.namespace,
        "name": ref.name,
        "uid": entry.uid,
        "resourceVersion": entry.version_after,
    }


def _seconds(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
