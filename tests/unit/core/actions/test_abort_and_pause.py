"""Abort, retry, pause and resume, by the state that they find."""

import pytest

from planned import planned, refused, sent
from rollgraph.core.actions.action import Abort, Action, Pause, Resume, Retry
from rollgraph.core.actions.plan import Reason
from samples import Patch

PAUSED = "canary-paused-at-step-3"
BY_HAND: Patch = {"spec": {"paused": True}}


def test_abort_takes_a_full_promotion_back_in_the_same_patch() -> None:
    plan = planned(Abort(), PAUSED, {"status": {"promoteFull": True}})

    assert sent(plan) == [("status", {"status": {"abort": True, "promoteFull": False}})]


def test_abort_is_repeated_if_a_full_promotion_would_undo_it() -> None:
    assert planned(Abort(), "canary-aborted", {"status": {"promoteFull": True}}).patches


def test_abort_does_nothing_to_what_is_aborted() -> None:
    plan = planned(Abort(), "canary-aborted")

    assert (plan.patches, plan.message) == ((), "the update is aborted already")


@pytest.mark.parametrize(
    ("name", "patch", "words"),
    [
        ("canary-healthy", None, "no update is under way"),
        (PAUSED, {"status": {"stableRS": None}}, "the first revision is being deployed"),
    ],
)
def test_abort_is_refused_without_an_update(name: str, patch: Patch | None, words: str) -> None:
    refusal = refused(Abort(), name, patch)

    assert refusal.reason is Reason.NOT_APPLICABLE
    assert refusal.message.startswith(words)


def test_abort_says_if_pods_do_not_follow_yet() -> None:
    assert planned(Abort(), PAUSED, BY_HAND).message.endswith(
        "pods stay as they are until it is resumed"
    )


def test_abort_goes_through_although_the_spec_is_invalid() -> None:
    condition = {"type": "InvalidSpec", "status": "True", "message": "no such service"}

    plan = planned(Abort(), PAUSED, {"status": {"conditions": [condition]}})

    assert plan.patches
    assert plan.message.endswith("once the spec is valid again")


def test_retry_begins_again() -> None:
    plan = planned(Retry(), "canary-aborted")

    assert sent(plan) == [("status", {"status": {"abort": False}})]


def test_retry_is_refused_unless_aborted() -> None:
    assert refused(Retry(), PAUSED).reason is Reason.NOT_APPLICABLE


@pytest.mark.parametrize("name", ["canary-healthy", PAUSED, "canary-aborted"])
def test_pause_holds_an_idle_rollout_too(name: str) -> None:
    plan = planned(Pause(), name)

    assert sent(plan) == [("", {"spec": {"paused": True}})]


def test_resume_ends_only_the_pause_by_hand() -> None:
    plan = planned(Resume(), PAUSED, BY_HAND)

    assert sent(plan) == [("", {"spec": {"paused": False}})]
    assert plan.message == "resumes it; the controller's own pause goes on"


def test_what_is_so_already_is_no_failure() -> None:
    paused, resumed = planned(Pause(), PAUSED, BY_HAND), planned(Resume(), PAUSED)

    assert (paused.patches, resumed.patches) == ((), ())
    assert "promote it" in resumed.message


@pytest.mark.parametrize("action", [Abort(), Retry()])
def test_a_status_is_not_written_before_the_controller_has_caught_up(action: Action) -> None:
    refusal = refused(action, "canary-aborted", {"metadata": {"generation": 9}})

    assert refusal.reason is Reason.NOT_OBSERVED
    assert "generation 9; it has seen 8" in refusal.message


@pytest.mark.parametrize("action", [Pause(), Resume()])
def test_the_spec_may_be_written_at_once(action: Action) -> None:
    planned(action, "canary-aborted", {"metadata": {"generation": 9}})


@pytest.mark.parametrize("action", [Abort(), Retry(), Pause(), Resume()])
def test_nothing_is_done_to_what_is_deleted_or_cannot_be_read(action: Action) -> None:
    deleted = refused(action, PAUSED, {"metadata": {"deletionTimestamp": "2026-05-12T09:00:00Z"}})
    broken = refused(action, PAUSED, {"status": {"currentStepIndex": "three"}})

    assert deleted.message == "the rollout is being deleted"
    assert broken.message.startswith("Rollgraph cannot read this rollout")
