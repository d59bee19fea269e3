"""States that wait to be shown: which they are, and what happens when there are too many."""

from itertools import pairwise

import msgspec
from structlog.testing import capture_logs

from rollgraph.core.objects.meta import Meta
from rollgraph.core.objects.rollout import Rollout, RolloutStatus
from rollgraph.spokes.store import Change
from rollgraph.spokes.transitions import Transitions


def state(phase: str = "Healthy", step: int | None = None, version: str = "1") -> Rollout:
    metadata = Meta("checkout", uid="1", namespace="shop", resource_version=version)
    status = RolloutStatus(phase=phase, current_step_index=step)
    return Rollout(metadata=metadata, status=status)


def follow(transitions: Transitions, *states: Rollout) -> None:
    for old, new in pairwise(states):
        transitions.note(Change(old, new))


def taken(transitions: Transitions) -> list[tuple[str, int | None]]:
    found = iter(transitions.take, None)
    return [(item.status.phase, item.status.current_step_index) for item in found if item]


def test_a_state_waits_if_its_phase_or_step_is_another() -> None:
    transitions = Transitions()
    follow(
        transitions, state(), state("Progressing", 0), state("Progressing", 1), state("Paused", 1)
    )
    assert taken(transitions) == [("Progressing", 0), ("Progressing", 1), ("Paused", 1)]


def test_what_else_changes_need_not_be_shown_if_it_is_over() -> None:
    transitions = Transitions()
    scaled = msgspec.structs.replace(state(), status=RolloutStatus(phase="Healthy", replicas=3))
    follow(transitions, state(), scaled, state(version="9"))
    assert taken(transitions) == []


def test_what_comes_or_goes_is_told_by_what_is_held() -> None:
    transitions = Transitions()
    transitions.note(Change(None, state()))
    transitions.note(Change(state(), None))
    assert taken(transitions) == []


def test_a_flood_loses_the_oldest_and_says_so() -> None:
    transitions = Transitions(most=2)
    with capture_logs() as logs:
        follow(transitions, *(state("Progressing", step) for step in range(6)))
    assert taken(transitions) == [("Progressing", 4), ("Progressing", 5)]
    assert transitions.lost == 3
    assert [entry["lost"] for entry in logs] == [1, 2]
    assert logs[0]["rollout"] == "shop/checkout"
