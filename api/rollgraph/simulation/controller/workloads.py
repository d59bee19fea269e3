"""ReplicaSets: as many pods as are asked for, and the counts of them."""

from collections.abc import Callable, Sequence
from datetime import datetime

from rollgraph.simulation.controller.passes import Write, created, pruned
from rollgraph.simulation.controller.pods import is_active, is_ready
from rollgraph.simulation.controller.scaling import wanted
from rollgraph.simulation.manifests import Manifest, name_of, namespace_of, owner, status_of


def reconcile(
    rs: Manifest, pods: Sequence[Manifest], now: datetime, suffix: Callable[[], str]
) -> list[Write]:
    """What to write for a ReplicaSet with these pods.

    Args:
        suffix: Gives the end of a new pod's name.
    """
    active = [pod for pod in pods if is_active(pod)]
    missing = wanted(rs) - len(active)
    writes = [Write("create", _pod(rs, suffix(), now)) for _ in range(missing)]
    if missing < 0:
        writes += [Write("delete", pod) for pod in sorted(active, key=_worth)[:-missing]]
    ready = sum(map(is_ready, active))
    status = {
        "replicas": len(active),
        **pruned(
            fullyLabeledReplicas=len(active),
            readyReplicas=ready,
            availableReplicas=ready,
            observedGeneration=rs["metadata"]["generation"],
        ),
    }
    if status != status_of(rs):
        writes.append(Write("write", {**rs, "status": status}))
    return writes


def _worth(pod: Manifest) -> tuple[bool, str]:
    """Which pod goes first: one that is not ready, and then the youngest."""
    # Texts of times are turned round by complementing each character.
    return is_ready(pod), "".join(chr(255 - ord(letter)) for letter in created(pod))


def _pod(rs: Manifest, suffix: str, now: datetime) -> Manifest:
    template = rs["spec"]["template"]
    name = name_of(rs)
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            **(template.get("metadata") or {}),
            "name": f"{name}-{suffix}",
            "generateName": f"{name}-",
            "namespace": namespace_of(rs),
            "ownerReferences": [owner(rs)],
        },
        "spec": template["spec"],
        "status": {"phase": "Pending", "qosClass": "BestEffort"},
    }
