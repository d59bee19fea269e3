"""Where the caller saw the rollout."""

import pytest

from planned import planned, refused
from rollgraph.core.actions.action import Pause, Promote
from rollgraph.core.actions.guards import seen
from rollgraph.core.actions.plan import Expectations, Reason
from samples import rollout

PAUSED = "canary-paused-at-step-3"
VERSIONED = {"metadata": {"resourceVersion": "4711"}}


def test_a_rollout_that_is_where_it_was_seen_is_acted_on() -> None:
    expected = Expectations(3, "7f4c5d9b8d", "4711")

    assert planned(Promote(), PAUSED, VERSIONED, expected).patches
    assert planned(Promote(), PAUSED, VERSIONED, seen(rollout(PAUSED, VERSIONED))).patches


@pytest.mark.parametrize(
    ("expected", "message"),
    [
        (Expectations(step_index=1), "3 of 4 steps are done, not 1"),
        (
            Expectations(pod_template_hash="c0ffee0000"),
            "its template is 7f4c5d9b8d, not c0ffee0000",
        ),
        (Expectations(resource_version="4700"), "its resourceVersion is 4711, not 4700"),
        (
            Expectations(1, "c0ffee0000"),
            "3 of 4 steps are done, not 1; its template is 7f4c5d9b8d, not c0ffee0000",
        ),
    ],
)
def test_one_that_has_moved_is_not_and_the_refusal_says_where_it_is(
    expected: Expectations, message: str
) -> None:
    refusal = refused(Pause(), PAUSED, VERSIONED, expected)

    assert refusal.reason is Reason.STALE
    assert refusal.message == f"the rollout has moved: {message}"


def test_one_without_steps_has_no_index_to_be_at() -> None:
    refusal = refused(Pause(), "workload-ref", None, Expectations(step_index=0))

    assert refusal.message == "the rollout has moved: it has no current step, not 0"
