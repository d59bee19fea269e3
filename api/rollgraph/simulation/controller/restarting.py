"""Restarts: pods that are older than spec.restartAt go, a few at a time (rollout/restart.go)."""

from datetime import timedelta

from rollgraph.simulation.controller.passes import Pass, created
from rollgraph.simulation.controller.pods import is_ready
from rollgraph.simulation.controller.scaling import wanted
from rollgraph.simulation.manifests import controller_uid, moment, uid_of

# Seconds until the next pods, if nothing wakes the rollout up before.
AGAIN = timedelta(seconds=30)


def restart(this: Pass) -> int:
    """Deletes the pods whose turn it is; how many."""
    wish = this.facts.spec.get("restartAt")
    if wish is None or wish == this.facts.status.get("restartedAt"):
        return 0
    if moment(wish) > this.now:
        this.look_again(moment(wish))
        return 0
    order = {uid_of(rs): place for place, rs in enumerate([this.stable, this.new]) if rs}
    pods = sorted(this.family.pods, key=lambda pod: order.get(controller_uid(pod), len(this.every)))
    old = [pod for pod in pods if created(pod) < wish]
    may = _spare(this)
    going = [pod for pod in old if "deletionTimestamp" not in pod["metadata"]][: max(0, may)]
    for pod in going:
        this.delete(pod)
    if len(old) > len(going):
        this.look_again(this.now + AGAIN)
    else:
        this.restarted_at = wish
    return len(going)


def _spare(this: Pass) -> int:
    """Pods that may be missing now."""
    alive = [p for p in this.family.pods if "deletionTimestamp" not in p["metadata"]]
    total = max(this.facts.replicas, sum(map(wanted, this.every)))
    return sum(map(is_ready, alive)) - (total - max(1, this.facts.max_unavailable))
