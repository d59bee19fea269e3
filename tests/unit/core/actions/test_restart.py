"""The restart, now or later."""

from datetime import datetime, timedelta, timezone

from planned import NOW, planned, refused, sent
from rollgraph.core.actions.action import Restart
from rollgraph.core.actions.plan import Reason


def test_now_is_told_in_whole_seconds() -> None:
    plan = planned(Restart(NOW), "canary-healthy")

    assert sent(plan) == [("", {"spec": {"restartAt": "2026-05-12T09:30:15Z"}})]
    assert plan.message == "restarts its pods now, a few at a time"


def test_later_is_told_in_utc_wherever_the_caller_is() -> None:
    at = datetime(2026, 5, 12, 22, 0, tzinfo=timezone(timedelta(hours=2)))

    plan = planned(Restart(at), "canary-aborted")

    assert sent(plan) == [("", {"spec": {"restartAt": "2026-05-12T20:00:00Z"}})]
    assert plan.message == "restarts its pods at 2026-05-12T20:00:00Z, a few at a time"


def test_the_same_restart_is_not_asked_for_twice() -> None:
    plan = planned(Restart(NOW), "canary-healthy", {"spec": {"restartAt": "2026-05-12T09:30:15Z"}})

    assert plan.patches == ()


def test_a_time_of_no_zone_is_no_time() -> None:
    refusal = refused(Restart(NOW.replace(tzinfo=None)), "canary-healthy")

    assert refusal.reason is Reason.INVALID
