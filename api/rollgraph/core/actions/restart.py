"""The restart: all pods anew, for one template."""

from datetime import UTC, datetime

from rollgraph.core.actions.action import Restart
from rollgraph.core.actions.guards import nothing_to_do, untouchable
from rollgraph.core.actions.plan import Plan, Reason, Refusal
from rollgraph.core.actions.writing import spec_patch, stamp
from rollgraph.core.objects.rollout import Rollout


def restart(action: Restart, rollout: Rollout, now: datetime) -> Plan | Refusal:
    """The controller evicts pods that were made before a time, once it has come."""
    if refusal := untouchable(rollout):
        return refusal
    if action.at.tzinfo is None:
        return Refusal(Reason.INVALID, f"{action.at} names no time zone: add Z or an offset")
    # Kubernetes' times have whole seconds.
    at = action.at.astimezone(UTC).replace(microsecond=0)
    if rollout.spec.restart_at == at:
        return nothing_to_do(f"it is restarted at {stamp(at)} already")
    when = "now" if at <= now else f"at {stamp(at)}"
    patch = spec_patch(rollout, {"restartAt": stamp(at)})
    return Plan((patch,), f"restarts its pods {when}, a few at a time")
