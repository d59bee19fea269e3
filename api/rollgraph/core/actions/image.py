"""Another image for one container, or for all: an update begins."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from rollgraph.core.actions.action import SetImage
from rollgraph.core.actions.guards import nothing_to_do, untouchable
from rollgraph.core.actions.imagereference import complaint
from rollgraph.core.actions.plan import Live, Manifest, Plan, Reason, Refusal
from rollgraph.core.actions.workload import Holder, holder, unsupported
from rollgraph.core.objects.rollout import Rollout

ALL = "*"
_GROUPS = ("initContainers", "containers", "ephemeralContainers")


class _Place(NamedTuple):
    """A container of a template, and where in it."""

    group: str
    at: int
    container: Manifest

    @property
    def name(self) -> str:
        return str(self.container.get("name", ""))


def no_image(rollout: Rollout) -> Refusal | None:
    """Why no image can be set."""
    return untouchable(rollout) or unsupported(rollout)


def set_image(action: SetImage, rollout: Rollout, live: Live) -> Plan | Refusal:
    """Each container of that name gets the image, and nothing else is touched."""
    if refusal := no_image(rollout):
        return refusal
    if problem := complaint(action.image):
        return Refusal(Reason.INVALID, problem)
    place = holder(rollout, live)
    if isinstance(place, Refusal):
        return place
    every = list(_containers(place.template))
    named = [item for item in every if action.container in {ALL, item.name}]
    if not named:
        return _unknown(action.container, every)
    changed = [item for item in named if item.container.get("image") != action.image]
    if not changed:
        return nothing_to_do(f"{_who(action, named)} has {action.image} already")
    operations = [step for item in changed for step in _set(place, item, action.image)]
    return Plan((place.patch(*operations),), f"sets {_who(action, changed)} to {action.image}")


def _containers(template: Manifest) -> Iterator[_Place]:
    spec = template.get("spec") or {}
    for name in _GROUPS:
        for index, container in enumerate(spec.get(name) or ()):
            yield _Place(name, index, container)


def _set(place: Holder, item: _Place, image: str) -> Iterator[dict[str, Any]]:
    at = ("spec", item.group, item.at)
    # Should the list have changed, nothing is written to the wrong container.
    yield {"op": "test", "path": place.pointer(*at, "name"), "value": item.name}
    op = "replace" if "image" in item.container else "add"
    yield {"op": op, "path": place.pointer(*at, "image"), "value": image}


def _unknown(name: str, every: list[_Place]) -> Refusal:
    known = ", ".join(item.name for item in every) or "none"
    return Refusal(
        Reason.NOT_FOUND, f"there is no container {name!r} in the pod template, but: {known}"
    )


def _who(action: SetImage, items: list[_Place]) -> str:
    names = ", ".join(item.name for item in items)
    return names if action.container == ALL else action.container
