"""The version moves with each event and bookmark, and a watch goes on from it."""

from fakes.cluster import bookmark, line
from fakes.listwatch import HOLD, ScriptedListWatch, Stream
from fakes.manifests import thing
from fakes.reflecting import reflecting
from rollgraph.core.errors import UnreachableError

SYNCED = bookmark(10, end=True)


async def test_reflector_resource_version_update() -> None:
    stream: Stream = [
        SYNCED,
        line("ADDED", thing("p", 11)),
        5.0,
        line("MODIFIED", thing("p", 20)),
        5.0,
        bookmark(30),
        5.0,
        line("DELETED", thing("p", 40)),
        HOLD,
    ]
    script = ScriptedListWatch(streams=[stream])
    async with reflecting(script) as rig:
        seen = []
        for version in ("11", "20", "30", "40"):
            await rig.until(lambda version=version: rig.view.resource_version == version)  # type: ignore[misc]
            seen.append(rig.view.resource_version)
        assert seen == ["11", "20", "30", "40"]


async def test_a_watch_goes_on_from_the_last_bookmark() -> None:
    quiet: Stream = [SYNCED, line("ADDED", thing("p", 11)), 60.0, bookmark(99), 60.0]
    script = ScriptedListWatch(streams=[quiet, [HOLD]])
    async with reflecting(script) as rig:
        await rig.until(lambda: len(script.calls) == 2)
        assert script.requests[1] == ("watch", "99")


async def test_a_bookmark_is_no_event_of_an_object() -> None:
    script = ScriptedListWatch(streams=[[SYNCED, bookmark(20), HOLD]])
    async with reflecting(script) as rig:
        await rig.until(lambda: rig.view.resource_version == "20")
        assert rig.view.last_bookmark_at is not None
        assert rig.view.last_event_at is None
        assert rig.changes == []


async def test_without_bookmarks_the_last_event_counts() -> None:
    stream: Stream = [SYNCED, line("ADDED", thing("p", 11)), 300.0, UnreachableError("silent")]
    script = ScriptedListWatch(streams=[stream])
    async with reflecting(script) as rig:
        await rig.until(lambda: len(script.calls) == 2)
        assert script.requests[1] == ("watch", "11")
