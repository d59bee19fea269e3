"""One pass over a blue-green rollout (rollout/bluegreen.go)."""

from rollgraph.simulation.controller import analysis, persisting, replicas, restarting
from rollgraph.simulation.controller.passes import BLUE_GREEN_PAUSE, Pass, pruned
from rollgraph.simulation.controller.scaling import (
    actual,
    available,
    by_hash,
    preview,
    ready,
    wanted,
)
from rollgraph.simulation.manifests import HASH_LABEL, Manifest, hash_of, later, status_of


class Selectors:
    """Where the active and the preview Service point to, as this pass leaves them."""

    def __init__(self, this: Pass) -> None:
        fields = this.facts.blue_green or {}
        self._this = this
        self._active = this.family.services[fields["activeService"]]
        name = fields.get("previewService")
        self._preview = this.family.services[name] if name else None

    @property
    def active(self) -> str:
        """The hash of the pods that get the traffic; "" before the first promotion."""
        return _pointed(self._active)

    @property
    def preview(self) -> str:
        """The hash of the pods behind the preview; "" without one."""
        return _pointed(self._preview) if self._preview is not None else ""

    def point_active(self, pod_template_hash: str) -> None:
        """Switches the traffic."""
        if pod_template_hash and pod_template_hash != self.active:
            self._active = self._switched(self._active, pod_template_hash)

    def point_preview(self, pod_template_hash: str) -> None:
        """Switches the preview."""
        if self._preview is not None and pod_template_hash != self.preview:
            self._preview = self._switched(self._preview, pod_template_hash)

    def _switched(self, service: Manifest, pod_template_hash: str) -> Manifest:
        before = _pointed(service)
        selector = {**(service["spec"].get("selector") or {}), HASH_LABEL: pod_template_hash}
        after = {**service, "spec": {**service["spec"], "selector": selector}}
        self._this.write(after)
        self._this.tell(
            "SwitchService",
            f"Switched selector for service '{service['metadata']['name']}' from '{before}'"
            f" to '{pod_template_hash}'",
        )
        return after


def _pointed(service: Manifest) -> str:
    return str((service["spec"].get("selector") or {}).get(HASH_LABEL, ""))


def reconcile(this: Pass, new: Manifest) -> None:
    """Decides on the preview, pods, the pause, the traffic and analyses, then on the status."""
    selectors = Selectors(this)
    if not this.halted:
        selectors.point_preview(hash_of(new))
    if not this.facts.pods_changed(new):
        restarting.restart(this)
        replicas.blue_green(this, new)
        _pause(this, new, selectors)
        _switch(this, new, selectors)
        analysis.reconcile(this, new)
    _write_status(this, new, selectors)


def _full(this: Pass, new: Manifest) -> bool:
    """True if the new ReplicaSet has all the pods that it is to have before the promotion."""
    count = preview(this.facts, new, this.every)
    return wanted(new) == count == available(new)


def _fast_tracked(this: Pass, new: Manifest, selectors: Selectors) -> bool:
    """True if nobody has to be waited for."""
    promoted = selectors.active in ("", hash_of(new))
    return this.fast_rollback or this.facts.promote_full or promoted


def _pause(this: Pass, new: Manifest, selectors: Selectors) -> None:
    facts = this.facts
    if facts.aborted or not _full(this, new) or this.halted:
        return
    if (
        _fast_tracked(this, new, selectors)
        or facts.checkpoint
        or not (_by_hand(this) or _seconds(this) > 0)
    ):
        this.remove_pauses.add(BLUE_GREEN_PAUSE)
        return
    if not analysis.verified(this):
        return
    held = facts.pause(BLUE_GREEN_PAUSE)
    if held is None:
        # With controllerPause and without a pause, a person has promoted.
        if not facts.controller_pause:
            this.add_pauses.append(BLUE_GREEN_PAUSE)
    elif _pause_done(this):
        this.remove_pauses.add(BLUE_GREEN_PAUSE)
    elif _seconds(this) > 0:
        this.look_again(later(held["startTime"], _seconds(this)))


def _by_hand(this: Pass) -> bool:
    return (this.facts.blue_green or {}).get("autoPromotionEnabled") is False


def _seconds(this: Pass) -> int:
    return int((this.facts.blue_green or {}).get("autoPromotionSeconds") or 0)


def _pause_done(this: Pass) -> bool:
    """True if a person has promoted, or the time before the promotion is over."""
    facts = this.facts
    held = facts.pause(BLUE_GREEN_PAUSE)
    if this.add_pauses:
        return False
    if facts.checkpoint:
        return True
    if _by_hand(this):
        return facts.controller_pause and held is None
    if _seconds(this) == 0:
        return True
    return held is not None and later(held["startTime"], _seconds(this)) <= this.now


def _switch(this: Pass, new: Manifest, selectors: Selectors) -> None:
    if this.halted or not _full(this, new) or not persisting.saturated(this, new):
        return
    target = selectors.active
    done = _pause_done(this) and analysis.verified(this)
    if done or _fast_tracked(this, new, selectors):
        target = hash_of(new)
    if this.facts.aborted:
        target = this.facts.stable_hash
    selectors.point_active(target)


def _write_status(this: Pass, new: Manifest, selectors: Selectors) -> None:
    facts = this.facts
    status = persisting.base_status(this, new)
    if facts.pods_changed(new):
        persisting.reset(this, status)
    if facts.promote_full:
        this.clear_pauses = this.remove_abort = True
    status["blueGreen"] = status["blueGreen"] | pruned(
        previewSelector=selectors.preview, activeSelector=selectors.active
    )
    if reason := _promotion(this, new, selectors):
        persisting.promote(this, status, reason)
    elif not facts.pods_changed(new) and _checkpoint(this, new):
        status["blueGreen"]["scaleUpPreviewCheckPoint"] = True
    counted = by_hash(this.every, selectors.active)
    status |= {"HPAReplicas": 0, "availableReplicas": 0}
    status |= _counts(this, counted)
    persisting.persist(this, {key: value for key, value in status.items() if value != 0})


def _counts(this: Pass, active: Manifest | None) -> Manifest:
    """Counts of the pods that get the traffic; of all before the first promotion."""
    labels = (this.facts.spec.get("selector") or {}).get("matchLabels") or {}
    if active is None:
        return {
            "HPAReplicas": sum(map(actual, this.every)),
            "availableReplicas": sum(map(available, this.every)),
            "selector": _text(labels),
        }
    return {
        "HPAReplicas": actual(active),
        "availableReplicas": available(active),
        "readyReplicas": ready(active),
        "selector": _text(active["spec"]["selector"]["matchLabels"]),
    }


def _text(labels: Manifest) -> str:
    return ",".join(f"{key}={labels[key]}" for key in sorted(labels))


def _promotion(this: Pass, new: Manifest, selectors: Selectors) -> str:
    """Why the new template is the stable one from now on; "" while it is not."""
    facts = this.facts
    if this.stable is None or not selectors.active:
        return "Initial deploy"
    if selectors.active != hash_of(new):
        return ""
    if facts.promote_full:
        return "Full promotion requested"
    if this.fast_rollback:
        return "Fast rollback"
    if this.aborted:
        return ""
    if (facts.blue_green or {}).get("postPromotionAnalysis"):
        run = this.runs.get("post")
        if run is None or status_of(run).get("phase") != "Successful":
            return ""
    return "Completed blue-green update"


def _checkpoint(this: Pass, new: Manifest) -> bool:
    """True once a small preview may grow (calculateScaleUpPreviewCheckPoint)."""
    small = (this.facts.blue_green or {}).get("previewReplicaCount")
    if small is None:
        return False
    if this.facts.checkpoint:
        return True
    return analysis.verified(this) and _pause_done(this) and available(new) == small
