"""Patches of the Rollout itself, and the form of times in them."""

from datetime import UTC, datetime
from typing import Any

from rollgraph.core.actions.plan import Patch, Resource
from rollgraph.core.objects.rollout import Rollout
from rollgraph.core.refs import ObjectKey


def key_of(rollout: Rollout) -> ObjectKey:
    """The rollout's place within its spoke."""
    return ObjectKey(rollout.metadata.namespace, rollout.metadata.name)


def status_patch(rollout: Rollout, status: dict[str, Any]) -> Patch:
    """A change of the status, which a patch of the object itself cannot make."""
    return Patch(Resource.ROLLOUT, key_of(rollout), {"status": status}, "status")


def spec_patch(rollout: Rollout, spec: dict[str, Any]) -> Patch:
    """A change of the spec: a new generation."""
    return Patch(Resource.ROLLOUT, key_of(rollout), {"spec": spec})


def stamp(at: datetime) -> str:
    """A time as Kubernetes writes it, in whole seconds."""
    return at.astimezone(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")
