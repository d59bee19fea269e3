"""Events about a rollout, in both forms that Kubernetes has for them."""

from datetime import UTC, datetime
from typing import Any

import samples
from rollgraph.core.belongings import Belongings
from rollgraph.core.objects.decode import kube_object
from rollgraph.core.objects.event import MAX_EVENTS, KubeEvent
from rollgraph.core.refs import Kind
from rollgraph.core.view import build_view

PAUSED: dict[str, Any] = {
    "metadata": {"name": "checkout.1", "namespace": "shop", "uid": "e-1"},
    "involvedObject": {"kind": "Rollout", "name": "checkout", "uid": "r-1"},
    "type": "Normal",
    "reason": "RolloutPaused",
    "message": "Rollout is paused (CanaryPauseStep)",
    "count": 3,
    "firstTimestamp": "2026-05-12T09:01:00Z",
    "lastTimestamp": "2026-05-12T09:05:00Z",
    "source": {"component": "rollouts-controller"},
}
SERIES: dict[str, Any] = {
    "metadata": {"name": "checkout.2", "namespace": "shop", "uid": "e-2"},
    "involvedObject": {"kind": "Rollout", "name": "checkout", "uid": "r-1"},
    "eventTime": "2026-05-12T09:02:00.000000Z",
    "series": {"count": 7, "lastObservedTime": "2026-05-12T09:08:00.000000Z"},
    "reportingComponent": "rollgraph",
}


def event(document: dict[str, Any]) -> KubeEvent:
    decoded = kube_object(Kind.EVENT, samples.encoded(document))
    assert isinstance(decoded, KubeEvent)
    return decoded


def at(minute: int) -> datetime:
    return datetime(2026, 5, 12, 9, minute, tzinfo=UTC)


def test_an_event_with_a_count_tells_when_it_happened_first_and_last() -> None:
    found = event(PAUSED)
    assert (found.times, found.first_seen, found.last_seen) == (3, at(1), at(5))
    assert found.reporter == "rollouts-controller"


def test_an_event_with_a_series_tells_the_same() -> None:
    found = event(SERIES)
    assert (found.times, found.first_seen, found.last_seen) == (7, at(2), at(8))
    assert found.reporter == "rollgraph"


def test_an_event_that_tells_no_time_has_happened_when_it_was_made() -> None:
    created = "2026-05-12T09:03:00Z"
    bare = {"metadata": PAUSED["metadata"] | {"creationTimestamp": created}}
    found = event(bare)
    assert (found.times, found.first_seen, found.last_seen) == (1, at(3), at(3))


def test_an_event_belongs_to_what_it_is_about() -> None:
    assert event(PAUSED).metadata.owner_uids == ("r-1",)


def test_a_view_has_the_newest_events_the_latest_last() -> None:
    many = [
        event(
            PAUSED
            | {"metadata": {"name": f"e-{n:02}"}, "lastTimestamp": f"2026-05-12T09:{n:02}:00Z"}
        )
        for n in reversed(range(MAX_EVENTS + 5))
    ]
    view = build_view("east", samples.rollout("canary-healthy"), Belongings(events=many))
    assert [item.metadata.name for item in view.events] == [
        f"e-{n:02}" for n in range(5, MAX_EVENTS + 5)
    ]


def test_an_event_whose_time_has_no_zone_is_told_without_its_times_and_harms_no_other() -> None:
    zoneless = event(PAUSED | {"lastTimestamp": "2026-05-12T09:05:00"})
    assert "timezone" in zoneless.unreadable
    both = Belongings(events=[event(SERIES), zoneless])
    view = build_view("east", samples.rollout("canary-healthy"), both)
    assert [item.times for item in view.events] == [1, 7]
