"""What is waited for, how long, and what is asked afterwards. Named after client-go's cases."""

from random import Random

import anyio
import pytest

from fakes.cluster import bookmark, line, status
from fakes.listwatch import HOLD, ScriptedListWatch, Stream
from fakes.manifests import thing
from fakes.reflecting import reflecting
from rollgraph.core.connection import ConnectionStatus, Problem
from rollgraph.core.errors import (
    ForbiddenError,
    ServerError,
    SpokeError,
    TooManyRequestsError,
    UnreachableError,
)
from rollgraph.spokes.backoff import Backoff

SYNCED = bookmark(1, end=True)
REFUSED = UnreachableError("no connection to 127.0.0.1:6443: Connection refused")
# The second of time after the mark makes the stream one that counts as a watch.
FIRST: Stream = [SYNCED, 2.0]


@pytest.mark.parametrize(
    ("failures", "at_least", "at_most"),
    [(5, 0.8 * 31, 2 * 0.8 * 31), (40, 33 * 30, 40 * 60)],
)
async def test_reflector_list_and_watch_init_conn_backoff(
    failures: int, at_least: float, at_most: float
) -> None:
    script = ScriptedListWatch(streams=[FIRST, *[REFUSED] * failures, [HOLD]])
    async with reflecting(script) as rig:
        await rig.until(lambda: len(script.calls) == failures + 2)
        assert at_least <= script.calls[-1].at - script.calls[1].at <= at_most
        assert {verb for verb, _ in script.requests[1:]} == {"watch"}


async def test_backoff_on_too_many_requests() -> None:
    busy = TooManyRequestsError("busy")
    in_stream: Stream = [line("ERROR", status(429, "TooManyRequests", "busy"))]
    script = ScriptedListWatch(streams=[FIRST, busy, in_stream, [HOLD]])
    async with reflecting(script) as rig:
        await rig.until(lambda: rig.view.problem is Problem.THROTTLED)
        await rig.until(lambda: len(script.calls) == 4)
        first, second = script.calls[2].at - script.calls[1].at, script.calls[3].at
        assert 0.8 <= first <= 1.6
        assert 1.6 <= second - script.calls[2].at <= 3.2


@pytest.mark.parametrize(
    "starting",
    [
        TooManyRequestsError("storage is (re)initializing", retry_after=1),
        ServerError("the request has been made before all known HTTP paths have been installed"),
    ],
    ids=["429", "503"],
)
async def test_a_server_that_has_just_started_is_not_waited_for_as_if_it_were_gone(
    starting: SpokeError,
) -> None:
    script = ScriptedListWatch(streams=[FIRST, *[REFUSED] * 8, starting, [HOLD]])
    async with reflecting(script) as rig:
        await rig.until(lambda: len(script.calls) == 11)
        assert script.calls[9].at - script.calls[8].at > 30
        assert script.calls[10].at - script.calls[9].at <= 1.6


async def test_no_relist_on_too_many_requests() -> None:
    script = ScriptedListWatch(streams=[FIRST, *[TooManyRequestsError("busy")] * 4, [HOLD]])
    async with reflecting(script) as rig:
        await rig.until(lambda: len(script.calls) == 6)
        assert script.requests[1:] == [("watch", "1")] * 5
        assert rig.view.relists == 0


async def test_the_wait_that_the_server_asks_for_is_kept() -> None:
    busy = TooManyRequestsError("busy", retry_after=17)
    script = ScriptedListWatch(streams=[FIRST, busy, [HOLD]])
    async with reflecting(script) as rig:
        await rig.until(lambda: len(script.calls) == 3)
        assert 17 <= script.calls[2].at - script.calls[1].at < 18


async def test_retry_internal_error() -> None:
    """Retried from the same version for half a minute; then the version itself is doubted."""
    no_leader = status(500, "InternalError", "etcdserver: no leader")
    errors: list[Stream] = [[line("ERROR", no_leader)]] * 12
    script = ScriptedListWatch(streams=[FIRST, *errors, [HOLD]])
    async with reflecting(script) as rig:
        await rig.until(lambda: any(verb == "list" for verb, _ in script.requests))
        verbs = [verb for verb, _ in script.requests]
        first_stream = verbs.index("stream", 1)
        assert set(verbs[1:first_stream]) == {"watch"}
        assert script.calls[first_stream].at - script.calls[1].at > 30


async def test_an_event_ends_the_doubt_that_server_errors_raised() -> None:
    failing = ServerError("HTTP 500")
    good: Stream = [line("ADDED", thing("p", 2)), 200.0]
    script = ScriptedListWatch(streams=[FIRST, *[failing] * 4, good, *[failing] * 4, [HOLD]])
    async with reflecting(script) as rig:
        await rig.until(lambda: len(script.calls) == 11)
        assert {verb for verb, _ in script.requests[1:]} == {"watch"}


async def test_a_very_short_watch_is_an_error() -> None:
    """A load balancer accepts each watch and closes it: no hot loop, and no connection to show."""
    script = ScriptedListWatch(streams=[FIRST, *[[]] * 6, [HOLD]])
    async with reflecting(script) as rig:
        await rig.until(lambda: len(script.calls) == 4)
        assert rig.view.status is ConnectionStatus.DISCONNECTED
        assert rig.view.retries == 3
        await rig.until(lambda: len(script.calls) == 8)
        assert script.calls[-1].at > 0.8 * 63
        # The stream that stays is believed after it has lasted a second.
        statuses = [rig.view.status]
        await anyio.sleep(1)
        statuses.append(rig.view.status)
        assert statuses == [ConnectionStatus.DISCONNECTED, ConnectionStatus.CONNECTED]
        assert rig.state.reconnects == 1


async def test_a_stream_that_ends_in_time_is_opened_again_at_once() -> None:
    script = ScriptedListWatch(streams=[[SYNCED, 400.0], [bookmark(5), 400.0], [HOLD]])
    async with reflecting(script) as rig:
        await rig.until(lambda: len(script.calls) == 3)
        assert [call.at for call in script.calls] == [0, 400, 800]
        assert rig.view.status is ConnectionStatus.CONNECTED
        assert rig.state.reconnects == 0


async def test_an_answer_after_a_silence_ends_a_wait() -> None:
    script = ScriptedListWatch(streams=[FIRST, *[REFUSED] * 9, [HOLD]])
    async with reflecting(script) as rig:
        await rig.until(lambda: len(script.calls) == 7)
        rig.reflector.wake(anyio.current_time())
        for _ in range(4):
            await anyio.lowlevel.checkpoint()
        assert len(script.calls) == 8


async def test_an_answer_ends_a_wait_for_the_server_but_not_each_time() -> None:
    script = ScriptedListWatch(streams=[FIRST, *[REFUSED] * 99])
    async with reflecting(script) as rig:
        await anyio.sleep(600)
        asked = len(script.calls)
        for _ in range(12):  # a minute of probes
            rig.reflector.wake(None)
            await anyio.sleep(5)
        assert 2 <= len(script.calls) - asked <= 4


async def test_an_answer_does_not_end_a_wait_for_a_right() -> None:
    script = ScriptedListWatch(streams=[FIRST, *[ForbiddenError("no")] * 9])
    async with reflecting(script) as rig:
        await anyio.sleep(60)
        asked = len(script.calls)
        rig.reflector.wake(None)
        await anyio.sleep(1)
        assert len(script.calls) == asked


async def test_an_answer_after_a_silence_ends_only_a_stream_that_was_silent() -> None:
    script = ScriptedListWatch(streams=[[SYNCED, 10.0, bookmark(7), HOLD], [HOLD]])
    async with reflecting(script) as rig:
        await anyio.sleep(20)
        rig.reflector.wake(silent_since=5)
        await anyio.sleep(1)
        assert len(script.calls) == 1
        rig.reflector.wake(silent_since=15)
        await anyio.sleep(1)
        assert script.requests[1:] == [("watch", "7")]


async def test_waits_grow_to_a_bound_and_are_forgotten() -> None:
    backoff = Backoff(Random(3))
    waits = [backoff.next() for _ in range(8)]
    for wait, base in zip(waits, [0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30, 30], strict=True):
        assert base <= wait <= 2 * base
    assert backoff.next(at_least=100) == 100
    await anyio.sleep(100 + 121)
    assert backoff.next() <= 1.6


async def test_watch_timeout() -> None:
    script = ScriptedListWatch(streams=[[SYNCED, 400.0], *[[400.0]] * 30])
    async with reflecting(script) as rig:
        await rig.until(lambda: len(script.calls) == 25, every=50)
        asked = [call.timeout for call in script.calls]
        assert all(300 <= seconds <= 600 for seconds in asked)
        assert len(set(asked)) == 25
