"""Two rollouts that are alike to the last byte: one for Rollgraph, one for the kubectl plugin.

They have the same name in two namespaces, so even the hashes of their templates are the same, and
whatever their actions lead to can be compared as it is.
"""

import json
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from rollgraph.core.objects.meta import REVISION_ANNOTATION
from testbed.cluster import Object
from testbed.deadline import wait_until
from testbed.metrics import Metrics
from testbed.scenarios.stage import Stage, settle
from testbed.spoke import Spoke

NAME = "twin"
# Seconds. All twins are brought to their moments at the same time, some 80 rollouts on two cores.
REACHED = 120.0
# Seconds until what an action has begun is done; it takes 1 to 3.
DONE = 30.0

Condition = Callable[[Object], bool]
# Makes the moves to a moment, and says after each what has to be waited for.
Script = Callable[[Stage], Iterator[Condition]]

# Times differ, and so do the counts of writes that follow from them.
_TIMES = frozenset(
    {
        "abortedAt",
        "availableAt",
        "completedAt",
        "finishedAt",
        "lastTransitionTime",
        "lastUpdateTime",
        "observedGeneration",
        "restartAt",
        "restartedAt",
        "resumeAt",
        "startTime",
        "startedAt",
        "workloadObservedGeneration",
    }
)


@dataclass(frozen=True)
class Moment:
    """A moment of a rollout's life at which something can be done to it."""

    name: str
    script: Script


@dataclass(frozen=True)
class Twins:
    """Both of a pair, at the same moment."""

    ours: Stage
    theirs: Stage

    def wait(self, condition: Condition, what: str) -> None:
        """Waits until both have come so far, and are at rest."""
        for stage in (self.ours, self.theirs):
            stage.wait(condition, what)
        settle(self.ours, self.theirs)

    def compare(self) -> None:
        """Fails unless they have become the same."""

        def check() -> str | None:
            return difference(seen(self.ours), seen(self.theirs))

        wait_until(check, seconds=DONE, what="both twins are the same")


def reach(spoke: Spoke, moments: Sequence[Moment], metrics: Metrics) -> Iterator[Twins]:
    """Brings twins to each of the moments, all at the same time."""
    pairs = [Twins(_stage(spoke, metrics), _stage(spoke, metrics)) for _ in moments]
    lives = [
        _Life(stage, moment)
        for pair, moment in zip(pairs, moments, strict=True)
        for stage in (pair.ours, pair.theirs)
    ]

    def check() -> str | None:
        late = [life.moment.name for life in lives if not life.goes_on()]
        return f"not there yet: {late}" if late else None

    wait_until(check, seconds=REACHED, what="twins at their moments")
    yield from pairs


def leave(pairs: Sequence[Twins]) -> None:
    """Deletes their namespaces, without waiting for the end."""
    for pair in pairs:
        for stage in (pair.ours, pair.theirs):
            stage.cluster.delete("Namespace", stage.namespace)


class _Life:
    """One rollout on the way to its moment."""

    def __init__(self, stage: Stage, moment: Moment) -> None:
        self.moment = moment
        self._stage = stage
        self._moves = moment.script(stage)
        self._awaited: Condition | None = next(self._moves, None)

    def goes_on(self) -> bool:
        """Makes the next move if it is time to; True once the moment has come."""
        if self._awaited is None:
            return True
        found = self._stage.cluster.find("Rollout", NAME, self._stage.namespace)
        if found is not None and observed(found) and self._awaited(found):
            self._awaited = next(self._moves, None)
        return self._awaited is None


def _stage(spoke: Spoke, metrics: Metrics) -> Stage:
    return Stage(spoke, spoke.namespace(f"twins-{secrets.token_hex(4)}"), NAME, metrics)


def observed(found: Object) -> bool:
    """Whether the controller has seen the newest spec."""
    seen = found.get("status", {}).get("observedGeneration")
    return bool(seen == str(found["metadata"]["generation"]))


def seen(stage: Stage) -> dict[str, Any]:
    """All that is to be compared: specs and states, without times."""
    rollout = stage.cluster.get("Rollout", NAME, stage.namespace)
    return {
        "rollout": plain({key: rollout[key] for key in ("spec", "status")}),
        "replica sets": {
            item["metadata"]["name"]: plain(
                {
                    "revision": item["metadata"].get("annotations", {}).get(REVISION_ANNOTATION),
                    "replicas": item["spec"]["replicas"],
                    "template": item["spec"]["template"],
                }
            )
            for item in stage.cluster.list("ReplicaSet", stage.namespace)
        },
        **{
            kind: {
                item["metadata"]["name"]: (
                    item["spec"].get("terminate", False),
                    item.get("status", {}).get("phase"),
                )
                for item in stage.cluster.list(kind, stage.namespace)
            }
            for kind in ("AnalysisRun", "Experiment")
        },
        "templates": {
            item["metadata"]["name"]: plain(item["spec"]["template"])
            for item in stage.cluster.list("Deployment", stage.namespace)
        },
    }


def plain(value: Any) -> Any:
    """JSON without times, in which false is the same as nothing, as it is to the controller."""
    if isinstance(value, dict):
        if "type" in value and "lastUpdateTime" in value:
            return {key: value[key] for key in ("type", "status", "reason", "message")}
        return {
            key: (item is not None) if key in _TIMES else plain(item)
            for key, item in value.items()
            if item is not False and item is not None
        }
    if isinstance(value, list):
        return sorted((plain(item) for item in value), key=lambda item: json.dumps(item))
    return value


def difference(ours: dict[str, Any], theirs: dict[str, Any], path: str = "") -> str | None:
    """The first fields that differ, with both values; None if there are none."""
    said = []
    for key in sorted(ours.keys() | theirs.keys()):
        here, mine, other = f"{path}.{key}", ours.get(key), theirs.get(key)
        if isinstance(mine, dict) and isinstance(other, dict):
            if below := difference(mine, other, here):
                said.append(below)
        elif mine != other:
            said.append(f"{here}: ours {mine!r}, theirs {other!r}")
    return "; ".join(said) or None
