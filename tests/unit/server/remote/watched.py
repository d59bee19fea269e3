"""Rollouts and events as a server tells them."""

from datetime import UTC, datetime
from typing import Any

from rollgraph.core.refs import RolloutRef

T0 = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
CHECKOUT = RolloutRef("east", "shop", "checkout")
SEARCH = RolloutRef("west", "search", "search")
_STEPS = ("setWeight: 20", "pause", "setWeight: 60", "pause: 30s")


def rollout(ref: RolloutRef = CHECKOUT, phase: str = "PROGRESSING", **more: Any) -> dict[str, Any]:
    """A canary of 5 pods at its third of four steps; `done` is another number of them."""
    done = more.pop("done", 4 if phase == "HEALTHY" else 2)
    states = ["COMPLETED"] * done + ["CURRENT"] * (done < 4) + ["PENDING"] * (3 - done)
    healthy = phase == "HEALTHY"
    steps = zip(_STEPS, states, strict=True)
    return {
        "clusterName": ref.cluster,
        "namespace": ref.namespace,
        "name": ref.name,
        "phase": phase,
        "message": None,
        "aborted": False,
        "images": [{"container": "app", "image": "registry.test/team/api:2.1.0"}],
        "steps": [
            {"index": index, "label": label, "state": state}
            for index, (label, state) in enumerate(steps)
        ],
        "currentStepIndex": done,
        "progress": {
            "percent": done * 25.0,
            "stepsCompleted": done,
            "stepsTotal": 4,
            "waiting": None if phase in {"HEALTHY", "DEGRADED"} else waiting(),
        },
        "split": {
            "desiredWeight": 100.0 if healthy else 60.0,
            "actualWeight": 100.0 if healthy else 40.0,
            "slices": [
                {"roles": ["CANARY"], "pods": 3, "readyPods": 2},
                {"roles": ["STABLE"], "pods": 3, "readyPods": 3},
            ],
        },
        "replicas": {"desired": 5, "current": 6, "updated": 3, "ready": 5, "available": 5},
        "freshness": {"stale": False},
        **more,
    }


def waiting(**more: Any) -> dict[str, Any]:
    """What a rollout waits for: pods."""
    return {
        "reason": "PODS",
        "message": "more replicas need to be updated",
        "human": False,
        "until": None,
        "exact": False,
        **more,
    }


def told(kind: str = "SNAPSHOT", **more: Any) -> dict[str, Any]:
    """An event, as it comes from a server."""
    at = T0.isoformat()
    return {"kind": kind, "cursor": "c", "occurredAt": at, "receivedAt": at, **more}


def of_rollout(kind: str = "SNAPSHOT", **more: Any) -> dict[str, Any]:
    """An event of a rollout as it is then; see `rollout`."""
    shown = rollout(**more)
    return told(kind, clusterName=shown["clusterName"], rollout=shown)


def deleted(ref: RolloutRef) -> dict[str, Any]:
    """The event of a rollout that is gone."""
    return told("DELETED", clusterName=ref.cluster, namespace=ref.namespace, name=ref.name)


def of_cluster(name: str = "east", status: str = "CONNECTED", **more: Any) -> dict[str, Any]:
    """An event of a cluster."""
    connection = {
        "status": status,
        "problem": None,
        "lastError": None,
        "since": T0.isoformat(),
        **more,
    }
    return told("CLUSTER_CONNECTION_CHANGED", clusterName=name, cluster={"connection": connection})
