"""Small words: why a rollout is held, how an object is named, and what counts as a number."""

from datetime import UTC, datetime

import pytest

from rollgraph.core.integers import integer
from rollgraph.core.pauses import PauseReason, pause_condition, pause_reason
from rollgraph.core.refs import Kind, ObjectKey, RolloutRef
from samples import rollout


@pytest.mark.parametrize("reason", list(PauseReason))
def test_a_known_reason_keeps_its_name(reason: PauseReason) -> None:
    assert pause_reason(reason.value) is reason


@pytest.mark.parametrize("text", ["", "MoonPhase"])
def test_a_reason_of_a_later_version_is_unknown(text: str) -> None:
    assert pause_reason(text) is PauseReason.UNKNOWN


def test_the_pause_of_a_reason_is_the_first_one() -> None:
    held = rollout(
        "canary-paused-at-step-3",
        {
            "status": {
                "pauseConditions": [
                    {"reason": "InconclusiveAnalysisRun"},
                    {"reason": "CanaryPauseStep", "startTime": "2026-05-12T09:12:00Z"},
                    {"reason": "CanaryPauseStep"},
                ]
            }
        },
    )
    found = pause_condition(held, PauseReason.CANARY_PAUSE_STEP)
    assert found is not None
    assert found.start_time == datetime(2026, 5, 12, 9, 12, tzinfo=UTC)
    assert pause_condition(held, PauseReason.BLUE_GREEN_PAUSE) is None
    assert pause_condition(rollout("canary-healthy"), PauseReason.CANARY_PAUSE_STEP) is None


def test_a_rollout_is_named_by_cluster_namespace_and_name() -> None:
    ref = RolloutRef("east", "shop", "checkout")
    assert str(ref) == "east/shop/checkout"
    assert ref.key == ObjectKey("shop", "checkout")
    assert str(ref.key) == "shop/checkout"


def test_refs_sort_by_cluster_then_namespace_then_name() -> None:
    refs = [RolloutRef("b", "a", "a"), RolloutRef("a", "b", "a"), RolloutRef("a", "a", "b")]
    assert sorted(refs) == refs[::-1]


def test_kinds_have_their_kubernetes_names() -> None:
    assert [kind.value for kind in Kind] == [
        "Rollout",
        "ReplicaSet",
        "Pod",
        "AnalysisRun",
        "Experiment",
        "Deployment",
        "Event",
    ]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0),
        ("007", 7),
        ("+7", 7),
        ("-7", -7),
        ("9223372036854775807", 2**63 - 1),
        ("-9223372036854775808", -(2**63)),
        ("9223372036854775808", None),
        ("", None),
        ("-", None),
        (" 7", None),
        ("7\n", None),
        ("1_000", None),
        ("1.0", None),
        ("0x10", None),
        ("\u0667", None),
        pytest.param("1" * 5000, None, id="endless"),
    ],
)
def test_a_number_is_what_gos_atoi_takes(text: str, number: int | None) -> None:
    assert integer(text) == number
