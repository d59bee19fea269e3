"""One pass over one rollout: what it sees, and what it has decided (rollout/context.go)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, TypeAlias

from rollgraph.simulation.controller.facts import Facts
from rollgraph.simulation.controller.scaling import by_hash
from rollgraph.simulation.manifests import (
    SCALE_DOWN_DEADLINE,
    Manifest,
    annotations_of,
    hash_of,
    moment,
    name_of,
    revision_of,
    stamp,
    status_of,
)

CANARY_PAUSE = "CanaryPauseStep"
BLUE_GREEN_PAUSE = "BlueGreenPause"
INCONCLUSIVE_PAUSE = "InconclusiveAnalysisRun"

# The four places of a rollout's status that name an analysis run.
RunRole: TypeAlias = Literal["step", "background", "pre", "post"]
RUN_FIELDS: Mapping[RunRole, tuple[str, str]] = {
    "step": ("canary", "currentStepAnalysisRunStatus"),
    "background": ("canary", "currentBackgroundAnalysisRunStatus"),
    "pre": ("blueGreen", "prePromotionAnalysisRunStatus"),
    "post": ("blueGreen", "postPromotionAnalysisRunStatus"),
}


@dataclass(frozen=True)
class Family:
    """A rollout with all that decides about it.

    Attributes:
        rollout: The rollout; its template is that of its workload if it refers to one.
        replica_sets: Those that it controls.
        pods: Those of its ReplicaSets.
        runs: The analysis runs that it controls.
        services: The Services of its namespace that it names, by name.
        templates: The metrics of the analysis templates that it names, by name.
    """

    rollout: Manifest
    replica_sets: Sequence[Manifest] = ()
    pods: Sequence[Manifest] = ()
    runs: Sequence[Manifest] = ()
    services: Mapping[str, Manifest] = field(default_factory=dict)
    templates: Mapping[str, Manifest] = field(default_factory=dict)


@dataclass(frozen=True)
class Write:
    """Something to be written."""

    verb: Literal["create", "write", "delete"]
    manifest: Manifest


@dataclass(frozen=True)
class Event:
    """Something to be told in a Kubernetes event about the rollout."""

    reason: str
    message: str
    warning: bool = False


@dataclass
class Outcome:
    """What a pass decided.

    Attributes:
        again_at: When to look again if nothing changes until then.
    """

    writes: list[Write] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    again_at: datetime | None = None


class Pass:
    """What a pass knows and has decided so far."""

    def __init__(self, family: Family, now: datetime) -> None:
        self.family = family
        self.now = now
        self.facts = Facts(family.rollout)
        self.every = list(family.replica_sets)
        self.outcome = Outcome()
        self.new = self._newest()
        self.stable = by_hash(self.every, self.facts.stable_hash)
        apart = {name_of(rs) for rs in (self.new, self.stable) if rs is not None}
        self.others = [rs for rs in self.every if name_of(rs) not in apart]
        self.runs, self.other_runs = self._current_runs()
        self.new_within_delay = self.new is not None and self.time_to_scale_down(self.new) > 0
        # As in status: what has been found out for the next one.
        self.canary_status: Manifest = {}
        self.blue_green_status: Manifest = {}
        self.restarted_at: str | None = self.facts.status.get("restartedAt")
        # Decisions on pauses and aborts; the status tells what was before (rollout/pause.go).
        self.add_pauses: list[str] = []
        self.remove_pauses: set[str] = set()
        self.clear_pauses = False
        self.add_abort = False
        # An abort of what is promoted already has no meaning.
        self.remove_abort = self.facts.fully_promoted
        self.abort_message = ""

    def _newest(self) -> Manifest | None:
        return by_hash(self.every, self.facts.template_hash)

    def _current_runs(self) -> tuple[dict[RunRole, Manifest], list[Manifest]]:
        roles: dict[str, RunRole] = {}
        for role, (group, key) in RUN_FIELDS.items():
            noted = (self.facts.status.get(group) or {}).get(key)
            if noted:
                roles[noted["name"]] = role
        current = {roles[name_of(run)]: run for run in self.family.runs if name_of(run) in roles}
        return current, [run for run in self.family.runs if name_of(run) not in roles]

    # -- what it says ----------------------------------------------------------------------------

    @property
    def aborted(self) -> bool:
        """True if the update is aborted, or has just been."""
        return not self.remove_abort and (self.add_abort or self.facts.aborted)

    @property
    def halted(self) -> bool:
        """True while nothing may be scaled or switched (haltProgress)."""
        return self.facts.paused or self.facts.pause(INCONCLUSIVE_PAUSE) is not None

    @property
    def fast_rollback(self) -> bool:
        """True if steps and pauses are skipped, for the pods are there already."""
        if self.new is None or self.stable is None:
            return False
        if hash_of(self.new) == self.facts.stable_hash:
            return True
        older = created(self.new) < created(self.stable)
        return older and self.new_within_delay and self.facts.blue_green is not None

    def time_to_scale_down(self, rs: Manifest) -> float:
        """Seconds until a ReplicaSet's deadline; 0 once it has passed, or without one."""
        deadline = annotations_of(rs).get(SCALE_DOWN_DEADLINE)
        return max(0.0, (moment(deadline) - self.now).total_seconds()) if deadline else 0.0

    # -- what it decides -------------------------------------------------------------------------

    def create(self, manifest: Manifest) -> None:
        """Makes an object."""
        self.outcome.writes.append(Write("create", manifest))

    def write(self, manifest: Manifest) -> None:
        """Changes an object."""
        self.outcome.writes.append(Write("write", manifest))

    def delete(self, manifest: Manifest) -> None:
        """Deletes an object."""
        self.outcome.writes.append(Write("delete", manifest))

    def tell(self, reason: str, message: str, *, warning: bool = False) -> None:
        """Emits a Kubernetes event."""
        self.outcome.events.append(Event(reason, message, warning))

    def look_again(self, when: datetime) -> None:
        """Wakes the rollout up at a time, or earlier."""
        before = self.outcome.again_at
        self.outcome.again_at = when if before is None else min(before, when)

    def abort(self, message: str) -> None:
        """Aborts the update."""
        self.add_abort = True
        self.abort_message = message

    def note_runs(self, current: Mapping[RunRole, Manifest]) -> None:
        """Takes these for the current analysis runs (SetCurrentAnalysisRuns)."""
        self.runs = dict(current)
        mine = "canary" if self.facts.canary is not None else "blueGreen"
        for role, run in current.items():
            group, key = RUN_FIELDS[role]
            if group == mine:
                status = status_of(run)
                noted = pruned(
                    name=name_of(run), status=status.get("phase"), message=status.get("message")
                )
                target = self.canary_status if mine == "canary" else self.blue_green_status
                target[key] = {"status": "", **noted}

    def pause_fields(self) -> Manifest:
        """The fields of the next status that tell of pauses and aborts (CalculatePauseStatus)."""
        if self.add_abort or (not self.remove_abort and self.facts.aborted):
            since = self.facts.status.get("abortedAt") or stamp(self.now)
            return {"abort": True, "abortedAt": since}
        if self.clear_pauses:
            return {}
        kept = [p for p in self.facts.pauses if p["reason"] not in self.remove_pauses]
        known = {pause["reason"] for pause in self.facts.pauses}
        added = [
            {"reason": reason, "startTime": stamp(self.now)}
            for reason in dict.fromkeys(self.add_pauses)
            if reason not in known
        ]
        if not kept and not added:
            return {}
        held = bool(added) or self.facts.controller_pause
        return pruned(pauseConditions=[*kept, *added], controllerPause=held)


def pruned(**fields: Any) -> Manifest:
    """Without what Go leaves out: false, zero, empty text and empty lists."""
    return {key: value for key, value in fields.items() if value not in (None, False, 0, "", [])}


def created(manifest: Manifest) -> str:
    """When it was created; these texts sort as the times do."""
    return str(manifest["metadata"].get("creationTimestamp", ""))


def newest_first(replica_sets: Iterable[Manifest]) -> list[Manifest]:
    """By revision, the newest first."""
    return sorted(replica_sets, key=revision_of, reverse=True)
