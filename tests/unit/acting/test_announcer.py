"""Events reach their clusters after the answer, or are dropped loudly."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from structlog.testing import capture_logs

from factories import NOON
from rollgraph.acting.announcer import FAREWELL, MAX_WAITING, Announcer
from rollgraph.core.audit import AuditEntry, AuditRow, Result
from rollgraph.core.errors import ConflictError, ForbiddenError, ServerError, UnansweredError
from rollgraph.core.refs import RolloutRef
from rollgraph.core.viewer import Viewer


class Clusters:
    """API servers that take Events, as far as a test lets them."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, float]] = []
        self.taken: list[tuple[str, str]] = []
        self.troubles: dict[str, list[Exception]] = {}
        self.silent: set[str] = set()

    async def create(self, cluster: str, event: dict[str, Any]) -> None:
        name = event["involvedObject"]["name"]
        self.asked.append((cluster, name, anyio.current_time()))
        if cluster in self.silent:
            await anyio.sleep_forever()
        if self.troubles.get(cluster):
            raise self.troubles[cluster].pop(0)
        self.taken.append((cluster, name))


@pytest.fixture
def clusters() -> Clusters:
    return Clusters()


@asynccontextmanager
async def running(clusters: Clusters) -> AsyncIterator[Announcer]:
    announcer = Announcer(clusters.create)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(announcer.run)
        yield announcer
        tasks.cancel_scope.cancel()


def row(name: str, cluster: str = "east") -> AuditRow:
    entry = AuditEntry(
        viewer=Viewer("alice"),
        verb="promote",
        result=Result.APPLIED,
        ref=RolloutRef(cluster, "shop", name),
        uid="1",
    )
    return AuditRow("019ab7e1-0000-7abc-8def-0123456789ab", NOON, entry)


async def test_events_of_a_cluster_keep_their_order(clusters: Clusters) -> None:
    async with running(clusters) as announcer:
        for name in ("a", "b", "c"):
            announcer.announce(row(name))
        await anyio.sleep(1)
        announcer.announce(row("d"))
        await anyio.sleep(1)
    assert clusters.taken == [("east", name) for name in "abcd"]


async def test_a_silent_cluster_holds_up_no_other(clusters: Clusters) -> None:
    clusters.silent.add("east")
    async with running(clusters) as announcer:
        announcer.announce(row("a", "east"))
        announcer.announce(row("b", "west"))
        await anyio.sleep(1)
        assert clusters.taken == [("west", "b")]


async def test_an_event_is_tried_three_times(clusters: Clusters) -> None:
    clusters.troubles["east"] = [ServerError("HTTP 500"), ServerError("HTTP 500")]
    async with running(clusters) as announcer:
        start = anyio.current_time()
        announcer.announce(row("a"))
        await anyio.sleep(10)
    assert [round(at - start) for _, _, at in clusters.asked] == [0, 1, 6]
    assert clusters.taken == [("east", "a")]
    assert announcer.dropped == 0


async def test_a_third_failure_drops_it_loudly_and_the_next_one_goes_on(clusters: Clusters) -> None:
    clusters.troubles["east"] = [ServerError("HTTP 500")] * 3
    with capture_logs() as logs:
        async with running(clusters) as announcer:
            announcer.announce(row("a"))
            announcer.announce(row("b"))
            await anyio.sleep(10)
    assert clusters.taken == [("east", "b")]
    (said,) = logs
    assert (said["event"], said["log_level"]) == ("event_dropped", "warning")
    assert (said["cluster"], said["name"], said["error"]) == ("east", "a", "HTTP 500")


async def test_a_missing_right_is_not_asked_for_again(clusters: Clusters) -> None:
    clusters.troubles["east"] = [ForbiddenError("cannot create events")]
    async with running(clusters) as announcer:
        announcer.announce(row("a"))
        await anyio.sleep(10)
    assert len(clusters.asked) == announcer.dropped == 1


async def test_a_lost_answer_makes_no_second_event(clusters: Clusters) -> None:
    clusters.troubles["east"] = [UnansweredError("it broke"), ConflictError("already exists")]
    async with running(clusters) as announcer:
        announcer.announce(row("a"))
        await anyio.sleep(10)
    assert len(clusters.asked) == 2
    assert announcer.dropped == 0


async def test_of_too_many_the_oldest_goes(clusters: Clusters) -> None:
    clusters.silent.add("east")
    with capture_logs() as logs:
        async with running(clusters) as announcer:
            announcer.announce(row("on its way"))
            await anyio.sleep(1)
            for number in range(MAX_WAITING + 2):
                announcer.announce(row(str(number)))
            assert announcer.dropped == 2
    assert [said["name"] for said in logs[:2]] == ["0", "1"]


async def test_a_bug_stops_nothing(clusters: Clusters) -> None:
    clusters.troubles["east"] = [KeyError("boom")]
    async with running(clusters) as announcer:
        announcer.announce(row("a"))
        announcer.announce(row("b"))
        await anyio.sleep(1)
    assert clusters.taken == [("east", "b")]


async def test_what_waits_when_the_process_ends_still_goes_out(clusters: Clusters) -> None:
    async with running(clusters) as announcer:
        await anyio.lowlevel.checkpoint()
        announcer.announce(row("a"))
    assert clusters.taken == [("east", "a")]


async def test_the_end_does_not_wait_for_a_silent_cluster(clusters: Clusters) -> None:
    clusters.silent.add("east")
    start = anyio.current_time()
    async with running(clusters) as announcer:
        announcer.announce(row("a"))
        await anyio.sleep(1)
    assert anyio.current_time() - start == pytest.approx(1 + FAREWELL)
    assert announcer.dropped == 1
