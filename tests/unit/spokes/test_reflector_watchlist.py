"""The cases of client-go's TestWatchList, by name, and those that it leaves out."""

import anyio

from fakes.cluster import bookmark, line, page, status
from fakes.listwatch import HOLD, ScriptedListWatch, Stream
from fakes.manifests import thing
from fakes.reflecting import reflecting
from rollgraph.core.connection import ConnectionStatus
from rollgraph.core.errors import (
    ExpiredError,
    ForbiddenError,
    InvalidRequestError,
    ServerError,
    TooManyRequestsError,
    UnreachableError,
    UnreadableError,
)

P1, P2, P3 = thing("p1", 1), thing("p2", 2), thing("p3", 3)
NO_STREAMS = InvalidRequestError("sendInitialEvents is forbidden for watch")


async def test_the_reflector_wont_be_synced_if_the_bookmark_event_has_not_been_received() -> None:
    script = ScriptedListWatch(streams=[[line("ADDED", P1), HOLD]])
    async with reflecting(script) as rig:
        await anyio.sleep(5)
        assert not rig.view.synced
        assert rig.view.status is ConnectionStatus.SYNCING
        assert rig.held == {}
        assert script.requests == [("stream", "")]


async def test_the_reflector_uses_the_old_list_watch_semantics_if_watch_list_is_off() -> None:
    script = ScriptedListWatch(lists=[page(1, P1)], streams=[NO_STREAMS])
    async with reflecting(script) as rig:
        await rig.until(lambda: rig.view.status is ConnectionStatus.CONNECTED)
        assert script.requests == [("stream", ""), ("list", "0"), ("watch", "1")]
        assert script.calls[1].limit == 500
        assert rig.held == {"p1": "1"}


async def test_returning_any_other_error_than_invalid_forces_fallback() -> None:
    refusals = [ServerError("dummy"), ForbiddenError("no watch"), UnreadableError("<html>")]
    for refusal in refusals:
        script = ScriptedListWatch(
            lists=[page(1, P1)], streams=[refusal, [line("ADDED", P2), HOLD]]
        )
        async with reflecting(script) as rig:
            await rig.until(lambda rig=rig: "p2" in rig.held)  # type: ignore[misc]
            assert script.requests == [("stream", ""), ("list", "0"), ("watch", "1")]
            assert rig.held == {"p1": "1", "p2": "2"}


async def test_the_reflector_can_fall_back_when_a_server_does_not_support_streaming() -> None:
    script = ScriptedListWatch(
        lists=[page(1, P1), page(9, P1)],
        streams=[NO_STREAMS, [line("ADDED", P2), 60.0, ExpiredError("old")], [HOLD]],
    )
    async with reflecting(script) as rig:
        await rig.until(lambda: rig.view.relists == 1)
        # A server that does not know WatchList is not asked for it again.
        assert [verb for verb, _ in script.requests[:4]] == ["stream", "list", "watch", "list"]


async def test_prove_that_the_reflector_is_synced_after_receiving_a_bookmark_event() -> None:
    stream: Stream = [line("ADDED", P1), line("ADDED", P2), bookmark(2, end=True), HOLD]
    script = ScriptedListWatch(streams=[stream])
    async with reflecting(script) as rig:
        await rig.until(lambda: rig.view.synced)
        assert rig.held == {"p1": "1", "p2": "2"}
        assert script.requests == [("stream", "")]
        assert rig.view.status is ConnectionStatus.CONNECTED


async def test_check_if_updates_and_deletes_are_propagated_during_streaming() -> None:
    stream: Stream = [
        line("ADDED", P1),
        line("ADDED", P2),
        line("MODIFIED", thing("p1", 3)),
        line("ADDED", thing("p3", 4)),
        line("DELETED", thing("p3", 5)),
        bookmark(5, end=True),
        HOLD,
    ]
    script = ScriptedListWatch(streams=[stream])
    async with reflecting(script) as rig:
        await rig.until(lambda: rig.view.synced)
        assert rig.held == {"p1": "3", "p2": "2"}
        # Every state was offered, in order, the short-lived one too.
        assert rig.changes == ["p1@1", "p2@2", "p1@3", "p3@4", "-p3"]


async def test_checks_if_the_reflector_retries_429() -> None:
    busy = TooManyRequestsError("busy, check again later", retry_after=1)
    script = ScriptedListWatch(
        streams=[busy, busy, [line("ADDED", P1), bookmark(2, end=True), HOLD]]
    )
    async with reflecting(script) as rig:
        await rig.until(lambda: rig.view.synced)
        assert script.requests == [("stream", "")] * 3
        assert rig.held == {"p1": "1"}


async def test_check_if_stopping_a_watcher_before_sync_creates_a_new_watch_list_request() -> None:
    script = ScriptedListWatch(
        streams=[[line("ADDED", P1), 2.0], [line("ADDED", P1), bookmark(1, end=True), HOLD]]
    )
    async with reflecting(script) as rig:
        await rig.until(lambda: rig.view.synced)
        assert script.requests == [("stream", ""), ("stream", "")]
        assert rig.held == {"p1": "1"}


async def test_stopping_a_watcher_after_synchronization_creates_a_new_watch_request() -> None:
    first: Stream = [
        line("ADDED", P1),
        line("ADDED", P2),
        bookmark(2, end=True),
        line("ADDED", P3),
        2.0,
    ]
    script = ScriptedListWatch(streams=[first, [line("ADDED", thing("p4", 4)), HOLD]])
    async with reflecting(script) as rig:
        await rig.until(lambda: "p4" in rig.held)
        assert script.requests == [("stream", ""), ("watch", "3")]
        assert list(rig.held) == ["p1", "p2", "p3", "p4"]


async def test_expiring_an_established_watcher_makes_the_reflector_list_anew() -> None:
    # client-go ends ListAndWatch with the error here; what calls it then starts over.
    first: Stream = [line("ADDED", P1), bookmark(2, end=True), line("ADDED", P3), 2.0]
    again: Stream = [line("ADDED", P1), bookmark(9, end=True), HOLD]
    script = ScriptedListWatch(streams=[first, ExpiredError("rv already expired"), again])
    async with reflecting(script) as rig:
        await rig.until(lambda: rig.view.relists == 1)
        assert script.requests == [("stream", ""), ("watch", "3"), ("stream", "3")]
        assert rig.held == {"p1": "1"}
        assert rig.changes == ["p1@1", "p3@3", "-p3"]


async def test_prove_that_the_reflector_checks_the_value_of_the_annotation() -> None:
    stream: Stream = [line("ADDED", P1), line("ADDED", P2), bookmark(2, end=False), HOLD]
    script = ScriptedListWatch(streams=[stream])
    async with reflecting(script) as rig:
        await anyio.sleep(5)
        assert not rig.view.synced


async def test_a_server_that_never_sends_the_mark_gets_a_list() -> None:
    # Before Kubernetes 1.27 the parameter is unknown and passed over without a word.
    script = ScriptedListWatch(
        lists=[page(2, P1, P2)], streams=[[line("ADDED", P1), line("ADDED", P2), HOLD]]
    )
    async with reflecting(script) as rig:
        await rig.until(lambda: rig.view.synced)
        assert script.requests[:2] == [("stream", ""), ("list", "0")]
        assert 30 <= script.calls[1].at <= 31


async def test_a_stream_that_is_cut_again_and_again_before_the_mark_gives_way_to_a_list() -> None:
    cut: Stream = [line("ADDED", P1), 20.0, UnreachableError("the connection broke")]
    script = ScriptedListWatch(lists=[page(2, P1, P2)], streams=[cut, cut, [HOLD]])
    async with reflecting(script) as rig:
        await rig.until(lambda: rig.view.synced)
        assert [verb for verb, _ in script.requests[:3]] == ["stream", "stream", "list"]


async def test_an_etcd_too_old_for_watch_list_gets_a_list() -> None:
    # It answers each WatchList with a version that is too large, asked for without a version.
    event = line("ERROR", status(504, "Timeout", "Too large resource version: 12, current: 0"))
    script = ScriptedListWatch(lists=[page(2, P1)], streams=[[event]])
    async with reflecting(script) as rig:
        await rig.until(lambda: rig.view.synced)
        assert script.requests[:2] == [("stream", ""), ("list", "0")]


async def test_versions_before_the_mark_are_not_gone_on_from() -> None:
    first: Stream = [line("ADDED", thing("p9", 900)), 2.0, UnreachableError("the connection broke")]
    script = ScriptedListWatch(streams=[first, [bookmark(950, end=True), HOLD]])
    async with reflecting(script) as rig:
        await rig.until(lambda: rig.view.synced)
        assert script.requests == [("stream", ""), ("stream", "")]
        assert rig.view.resource_version == "950"
