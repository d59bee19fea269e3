"""How a reflector applies what it is sent, and how it ends. Named after client-go's cases.

Not ported, for there is nothing here that they would test: ResyncChan, Resync (our store never
forgets), GetTypeDescriptionFromObject, GetExpectedGVKFromObject, ListExtract (Go's memory), and the
cases of a stop channel before and after each step, which are one cancellation here.
"""

import anyio
import pytest

from fakes.cluster import bookmark, line, page, status
from fakes.listwatch import HOLD, ScriptedListWatch, Step, Stream
from fakes.manifests import thing
from fakes.reflecting import Rig, reflecting
from rollgraph.core.connection import ConnectionStatus, Problem
from rollgraph.core.errors import (
    InvalidRequestError,
    NotInstalledError,
    ServerError,
    UnauthenticatedError,
    UnreachableError,
    UnreadableError,
)
from rollgraph.core.refs import Kind

NO_STREAMS = InvalidRequestError("no WatchList")
SYNCED = bookmark(1, end=True)
EVENTS: list[Step] = [
    line("MODIFIED", thing("foo", 2)),
    line("ADDED", thing("bar", 3)),
    line("ADDED", thing("baz", 4)),
    HOLD,
]


async def test_close_watch_channel_on_error() -> None:
    script = ScriptedListWatch(streams=[[SYNCED, line("ERROR", status(500)), HOLD]])
    async with reflecting(script) as rig:
        await rig.until(lambda: rig.view.retries == 1)
        assert script.open_streams == 0


async def test_run_until() -> None:
    script = ScriptedListWatch(streams=[[SYNCED, line("ADDED", thing("bar", 2)), HOLD]])
    async with reflecting(script) as rig:
        await rig.until(lambda: "bar" in rig.held)
        assert script.open_streams == 1
    assert script.open_streams == 0


async def test_reflector_watch_stopped_before() -> None:
    script = ScriptedListWatch()
    rig = Rig(script, Kind.POD, ())
    with anyio.CancelScope() as scope:
        scope.cancel()
        await rig.reflector.run()
    assert script.calls == []


async def test_reflector_watch_handler() -> None:
    stream: Stream = [
        SYNCED,
        line("ADDED", {"metadata": {"labels": "these are no labels", "annotations": 1}}),
        line("ADDED", thing("foo", 5)),
        line("DELETED", thing("foo", 6)),
        line("MODIFIED", thing("bar", 55)),
        line("ADDED", thing("baz", 32)),
        HOLD,
    ]
    async with reflecting(ScriptedListWatch(streams=[stream])) as rig:
        await rig.until(lambda: "baz" in rig.held)
        # What cannot be read at all is left out; a version is opaque and never compared.
        assert rig.held == {"bar": "55", "baz": "32"}
        assert rig.view.resource_version == "32"
        assert rig.view.status is ConnectionStatus.CONNECTED


async def test_reflector_list_and_watch_with_watch_list() -> None:
    stream: Stream = [line("ADDED", thing("foo", 1)), SYNCED, *EVENTS]
    script = ScriptedListWatch(streams=[stream])
    async with reflecting(script) as rig:
        await rig.until(lambda: len(rig.held) == 3)
        assert script.requests == [("stream", "")]
        assert rig.changes == ["foo@1", "foo@2", "bar@3", "baz@4"]


async def test_reflector_list_and_watch_without_watch_list() -> None:
    script = ScriptedListWatch(lists=[page(1, thing("foo", 1))], streams=[NO_STREAMS, EVENTS])
    async with reflecting(script) as rig:
        await rig.until(lambda: len(rig.held) == 3)
        assert script.requests == [("stream", ""), ("list", "0"), ("watch", "1")]
        assert rig.changes == ["foo@1", "foo@2", "bar@3", "baz@4"]


async def test_reflector_list_and_watch_with_errors() -> None:
    script = ScriptedListWatch(
        lists=[ServerError("a list error"), page(1)],
        streams=[
            NO_STREAMS,
            [line("ADDED", thing("foo", 2)), line("ADDED", thing("bar", 3)), 2.0],
            ServerError("a watch error"),
            [line("DELETED", thing("foo", 4)), line("ADDED", thing("qux", 5)), 2.0],
            [line("ADDED", thing("baz", 6)), HOLD],
        ],
    )
    async with reflecting(script) as rig:
        await rig.until(lambda: "baz" in rig.held)
        assert rig.held == {"bar": "3", "qux": "5", "baz": "6"}
        watches = [version for verb, version in script.requests if verb == "watch"]
        assert watches == ["1", "3", "3", "5"]


async def test_a_load_balancers_page_is_no_event_and_no_hot_loop() -> None:
    nonsense = UnreadableError("not a watch event: b'<html>'")
    broken: list[Stream] = [[nonsense]] * 20
    script = ScriptedListWatch(lists=[nonsense] * 20, streams=[[SYNCED, 2.0], *broken])
    async with reflecting(script) as rig:
        await rig.until(lambda: len(script.calls) >= 7)
        assert rig.held == {}
        assert rig.view.problem is Problem.UNREACHABLE
        assert script.calls[-1].at - script.calls[1].at > 0.8 * 7


async def test_nonsense_that_comes_again_and_again_from_a_version_leads_to_a_list() -> None:
    nonsense = UnreadableError("not a watch event")
    broken: list[Stream] = [[nonsense]] * 3
    script = ScriptedListWatch(streams=[[SYNCED, 2.0], *broken, [bookmark(9, end=True), HOLD]])
    async with reflecting(script) as rig:
        await rig.until(lambda: rig.view.resource_version == "9")
        assert [verb for verb, _ in script.requests] == ["stream", *["watch"] * 3, "stream"]


async def test_an_object_with_a_field_of_another_type_is_kept_as_unreadable() -> None:
    odd = thing("odd", 2) | {"status": {"phase": 7}}
    script = ScriptedListWatch(streams=[[SYNCED, line("ADDED", odd), *EVENTS]])
    async with reflecting(script) as rig:
        await rig.until(lambda: "baz" in rig.held)
        [kept] = [obj for obj in rig.store if obj.metadata.name == "odd"]
        assert "phase" in kept.unreadable


async def test_refused_credentials_are_renewed_once_for_each_refusal() -> None:
    refused = UnauthenticatedError("Unauthorized")
    old = ScriptedListWatch(streams=[[SYNCED, 60.0], refused])
    new = ScriptedListWatch(streams=[[60.0], refused, [HOLD]])
    async with reflecting(old, new) as rig:
        await rig.until(lambda: len(new.calls) == 3)
        # Renewed twice, each time at once; the second renewal gave the same new connection again.
        assert rig.opened == 3
        assert [call.at for call in new.calls] == [60, 120, 120]
        assert rig.view.status is ConnectionStatus.CONNECTED


async def test_credentials_that_cannot_be_renewed_are_shown() -> None:
    refused = UnauthenticatedError("Unauthorized")
    script = ScriptedListWatch(streams=[[SYNCED, 60.0], *[refused] * 20, [HOLD]])
    async with reflecting(script) as rig:
        await rig.until(lambda: rig.view.problem is Problem.UNAUTHENTICATED)
        first = len(script.calls)
        assert first == 3  # once with the old, once with new credentials
        await anyio.sleep(4.9)
        assert len(script.calls) == first


async def test_a_kind_that_is_not_installed_is_looked_for_each_half_minute() -> None:
    script = ScriptedListWatch(streams=[*[NotInstalledError("404")] * 4, [SYNCED, HOLD]])
    async with reflecting(script) as rig:
        await rig.until(lambda: rig.view.problem is Problem.NOT_INSTALLED)
        await rig.until(lambda: rig.view.synced)
        waits = [b.at - a.at for a, b in zip(script.calls, script.calls[1:], strict=False)]
        assert all(22 <= wait <= 30 for wait in waits)
        assert rig.view.problem is None


@pytest.mark.parametrize("code", [0, 408, 503])
async def test_an_error_event_of_any_code_ends_the_stream(code: int) -> None:
    script = ScriptedListWatch(streams=[[SYNCED, line("ERROR", status(code)), HOLD]])
    async with reflecting(script) as rig:
        await rig.until(lambda: rig.view.problem is Problem.SERVER_ERROR)


async def test_a_stream_that_breaks_is_shown_until_it_is_back() -> None:
    script = ScriptedListWatch(
        streams=[[SYNCED, 60.0, UnreachableError("it broke")], [3.0, bookmark(5), HOLD]]
    )
    async with reflecting(script) as rig:
        await rig.until(lambda: rig.view.problem is Problem.UNREACHABLE)
        assert rig.view.error == "it broke"
        await rig.until(lambda: rig.view.status is ConnectionStatus.CONNECTED)
        assert (rig.view.error, rig.view.retries) == ("", 0)
