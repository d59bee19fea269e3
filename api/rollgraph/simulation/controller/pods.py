"""What is asked of pods."""

from rollgraph.simulation.manifests import Manifest, status_of


def is_ready(pod: Manifest) -> bool:
    """Its Ready condition."""
    conditions = status_of(pod).get("conditions") or ()
    return any(item["type"] == "Ready" and item["status"] == "True" for item in conditions)


def is_active(pod: Manifest) -> bool:
    """True unless it has ended or is about to."""
    ended = status_of(pod).get("phase") in ("Succeeded", "Failed")
    return not ended and "deletionTimestamp" not in pod["metadata"]
