"""What the rules ask of a rollout's manifest (utils/defaults, utils/replicaset)."""

from collections.abc import Sequence
from functools import cached_property
from math import ceil, floor
from typing import Any

import msgspec

from rollgraph.simulation.controller.hashing import short_hash
from rollgraph.simulation.manifests import Manifest, hash_of, status_of

MAX_WEIGHT = 100
# The API's defaults.
SURGE = UNAVAILABLE = "25%"
PROGRESS_DEADLINE = 600
SCALE_DOWN_DELAY = 30
ABORT_SCALE_DOWN_DELAY = 30
REVISION_HISTORY = 10
ANALYSIS_HISTORY = 5

_encode = msgspec.json.Encoder(order="deterministic").encode


class Facts:
    """A rollout as the rules see it; its template is that of its workload if it refers to one."""

    def __init__(self, manifest: Manifest) -> None:
        self.manifest = manifest
        self.meta: Manifest = manifest["metadata"]
        self.spec: Manifest = manifest["spec"]
        self.status: Manifest = status_of(manifest)
        strategy = self.spec.get("strategy") or {}
        self.canary: Manifest | None = strategy.get("canary")
        self.blue_green: Manifest | None = strategy.get("blueGreen")

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.meta["name"])

    @property
    def replicas(self) -> int:
        """Pods that are asked for."""
        found = self.spec.get("replicas")
        return 1 if found is None else int(found)

    @property
    def paused(self) -> bool:
        """True while a person holds it."""
        return bool(self.spec.get("paused"))

    @property
    def steps(self) -> Sequence[Manifest]:
        """The canary's steps."""
        return (self.canary or {}).get("steps") or ()

    @property
    def step_index(self) -> int | None:
        """The current step, which may be one after the last; None without steps."""
        return int(self.status.get("currentStepIndex") or 0) if self.steps else None

    @property
    def step(self) -> Manifest | None:
        """The current step."""
        index = self.step_index
        return self.steps[index] if index is not None and index < len(self.steps) else None

    @property
    def aborted(self) -> bool:
        """True when its status says so; a pass may have decided otherwise."""
        return bool(self.status.get("abort"))

    @property
    def promote_full(self) -> bool:
        """True while all steps are to be skipped."""
        return bool(self.status.get("promoteFull"))

    @property
    def stable_hash(self) -> str:
        """The hash of the stable template."""
        return str(self.status.get("stableRS") or "")

    @property
    def current_hash(self) -> str:
        """The hash of the newest template that was noticed."""
        return str(self.status.get("currentPodHash") or "")

    @property
    def fully_promoted(self) -> bool:
        """True when the newest template is the stable one."""
        return self.stable_hash == self.current_hash

    @property
    def pauses(self) -> Sequence[Manifest]:
        """Why the controller holds it."""
        return self.status.get("pauseConditions") or ()

    def pause(self, reason: str) -> Manifest | None:
        """The pause for a reason, if it is held for it."""
        return next((pause for pause in self.pauses if pause["reason"] == reason), None)

    @property
    def controller_pause(self) -> bool:
        """True once the controller has paused; without a pause then, a person has promoted."""
        return bool(self.status.get("controllerPause"))

    @property
    def active_selector(self) -> str:
        """The hash that the active service pointed to."""
        return str((self.status.get("blueGreen") or {}).get("activeSelector") or "")

    @property
    def preview_selector(self) -> str:
        """The hash that the preview service pointed to."""
        return str((self.status.get("blueGreen") or {}).get("previewSelector") or "")

    @property
    def checkpoint(self) -> bool:
        """True once a small preview may grow."""
        return bool((self.status.get("blueGreen") or {}).get("scaleUpPreviewCheckPoint"))

    @cached_property
    def template_hash(self) -> str:
        """A hash of its pod template; "" without one.

        Go's clients write `"resources": {}` and the like where there was nothing.
        """
        template = _without_empty(self.spec.get("template"))
        return short_hash(_encode(template)) if template else ""

    @cached_property
    def step_hash(self) -> str:
        """A hash of its steps."""
        if self.canary is None:
            return ""
        return short_hash(_encode(self.canary.get("steps")))

    def pods_changed(self, new: Manifest) -> bool:
        """True if the template is not the one that was noticed."""
        return bool(self.current_hash) and self.current_hash != hash_of(new)

    @property
    def steps_changed(self) -> bool:
        """True if the steps are not those that were noticed."""
        return bool(self.status.get("currentStepHash", "") != self.step_hash)

    @property
    def fences(self) -> tuple[int, int]:
        """Pods that may be too many, and that may be missing (resolveFenceposts)."""
        fields = self.canary or {}
        surge = _share(fields.get("maxSurge", SURGE), self.replicas, up=True)
        missing = _share(fields.get("maxUnavailable", UNAVAILABLE), self.replicas, up=False)
        return (surge, missing) if surge or missing else (0, 1)

    @property
    def max_surge(self) -> int:
        """Pods that may be too many."""
        return self.fences[0] if self.canary is not None else 0

    @property
    def max_unavailable(self) -> int:
        """Pods that may be missing."""
        if self.replicas == 0:
            return 0
        if self.canary is not None:
            return min(self.fences[1], self.replicas)
        given = (self.blue_green or {}).get("maxUnavailable", 0)
        return min(_share(given, self.replicas, up=False), self.replicas)

    @property
    def progress_deadline(self) -> int:
        """Seconds."""
        return int(self.spec.get("progressDeadlineSeconds") or PROGRESS_DEADLINE)

    @property
    def scale_down_delay(self) -> int:
        """Seconds for which old pods stay after a promotion."""
        if self.blue_green is None:
            return 0
        return int(self.blue_green.get("scaleDownDelaySeconds", SCALE_DOWN_DELAY))

    @property
    def abort_scale_down_delay(self) -> int | None:
        """Seconds for which new pods stay after an abort; None for ever."""
        if self.blue_green is None:
            return 0
        return (
            int(self.blue_green.get("abortScaleDownDelaySeconds", ABORT_SCALE_DOWN_DELAY)) or None
        )

    @property
    def set_weight(self) -> int:
        """The weight that the steps so far ask for (GetCurrentSetWeight)."""
        if self.aborted:
            return 0
        if self.step is None or self.step_index is None:
            return MAX_WEIGHT
        for step in reversed(self.steps[: self.step_index + 1]):
            if "setWeight" in step:
                return int(step["setWeight"])
        return 0

    @property
    def desired_weight(self) -> int:
        """The share of the pods that are to be new (GetCanaryReplicasOrWeight)."""
        return MAX_WEIGHT if self.promote_full or self.fully_promoted else self._weight_of_update

    @property
    def _weight_of_update(self) -> int:
        return self.set_weight if self.stable_hash else MAX_WEIGHT


def _without_empty(value: Any) -> Any:
    if isinstance(value, dict):
        kept = {key: _without_empty(item) for key, item in value.items()}
        return {key: item for key, item in kept.items() if item not in (None, {}, [], "")}
    return list(map(_without_empty, value)) if isinstance(value, list) else value


def _share(value: Any, whole: int, *, up: bool) -> int:
    """A number, or a percentage of a whole rounded in one direction."""
    if isinstance(value, int):
        return value
    exact = int(str(value).rstrip("%")) * whole / 100
    return ceil(exact) if up else floor(exact)
