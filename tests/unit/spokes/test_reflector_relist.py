"""Which version each list asks for, and what pages do. Named after client-go's cases."""

import pytest

from fakes.cluster import line, page, status
from fakes.listwatch import HOLD, ScriptedListWatch, Stream
from fakes.manifests import thing
from fakes.reflecting import reflecting
from rollgraph.core.connection import ConnectionStatus
from rollgraph.core.errors import (
    ExpiredError,
    InvalidRequestError,
    TooLargeVersionError,
    UnreachableError,
)

NO_STREAMS = InvalidRequestError("no WatchList")
PODS = [thing(f"pod-{n}", n) for n in range(1, 11)]
# A watch that ends after it has been one, with the news that its version is too old.
ENDS_EXPIRED: Stream = [line("MODIFIED", thing("pod-1", 10)), 60.0, ExpiredError("too old")]


async def test_reflector_watch_list_page_size() -> None:
    script = ScriptedListWatch(
        lists=[
            page(10, *PODS[:4], continue_="C1"),
            page(10, *PODS[4:8], continue_="C2"),
            page(10, *PODS[8:]),
        ],
        streams=[NO_STREAMS],
    )
    async with reflecting(script) as rig:
        await rig.until(lambda: rig.view.synced)
        assert len(rig.held) == 10
        asked = [(c.resource_version, c.continue_, c.limit) for c in script.calls[1:4]]
        # A continue token names its version; a server refuses to be told another.
        assert asked == [("0", "", 500), ("", "C1", 500), ("", "C2", 500)]


async def test_reflector_not_paginating_not_consistent_reads() -> None:
    script = ScriptedListWatch(
        lists=[page(10, *PODS), page(11, *PODS)], streams=[NO_STREAMS, ENDS_EXPIRED]
    )
    async with reflecting(script) as rig:
        await rig.until(lambda: rig.view.relists == 1)
        relist = script.calls[3]
        assert (relist.verb, relist.resource_version, relist.limit) == ("list", "10", None)


async def test_reflector_paginating_non_consistent_reads_if_watch_cache_disabled() -> None:
    lists = [page(10, *PODS[:4], continue_="C1"), page(10, *PODS[4:]), page(11, *PODS)]
    script = ScriptedListWatch(lists=lists, streams=[NO_STREAMS, ENDS_EXPIRED])
    async with reflecting(script) as rig:
        await rig.until(lambda: rig.view.relists == 1)
        # That the server paged what it could have had from its cache says that it has none.
        relist = [call for call in script.calls if call.verb == "list"][2]
        assert (relist.resource_version, relist.limit) == ("10", 500)


async def test_reflector_resync_with_resource_version() -> None:
    script = ScriptedListWatch(
        lists=[page(10, *PODS[:4]), page(11, *PODS[:8])], streams=[NO_STREAMS, ENDS_EXPIRED]
    )
    async with reflecting(script) as rig:
        await rig.until(lambda: rig.view.relists == 1)
        assert [rv for verb, rv in script.requests if verb == "list"] == ["0", "10"]
        assert len(rig.held) == 8


async def test_reflector_expired_exact_resource_version() -> None:
    script = ScriptedListWatch(
        lists=[page(10, *PODS[:4]), ExpiredError("too old"), page(11, *PODS[:8])],
        streams=[NO_STREAMS, ENDS_EXPIRED],
    )
    async with reflecting(script) as rig:
        await rig.until(lambda: rig.view.relists == 1)
        assert [rv for verb, rv in script.requests if verb == "list"] == ["0", "10", ""]
        assert len(rig.held) == 8


async def test_reflector_full_list_if_expired() -> None:
    script = ScriptedListWatch(
        lists=[
            page(10, *PODS[:4], continue_="C0"),  # so that the server is known to page
            page(10),
            page(11, *PODS[:4], continue_="C1"),
            ExpiredError("the continue token is too old"),
            page(11, *PODS[:8]),
        ],
        streams=[NO_STREAMS, ENDS_EXPIRED],
    )
    async with reflecting(script) as rig:
        await rig.until(lambda: rig.view.relists == 1)
        asked = [(c.resource_version, c.continue_, c.limit) for c in script.calls]
        assert asked[4:7] == [("10", "", 500), ("", "C1", 500), ("10", "", None)]
        assert len(rig.held) == 8


@pytest.mark.parametrize("again", range(3))
async def test_reflector_full_list_if_too_large(again: int) -> None:
    # The three wordings are one error by now; see tests/unit/core/test_refusals.py.
    too_large = TooLargeVersionError("Too large resource version")
    script = ScriptedListWatch(
        lists=[page(20), too_large, page(30)], streams=[NO_STREAMS, [60.0, too_large]]
    )
    async with reflecting(script) as rig:
        await rig.until(lambda: rig.view.relists == 1)
        assert [rv for verb, rv in script.requests if verb == "list"] == ["0", "20", ""]


async def test_a_list_that_fails_with_every_version_is_retried_after_a_wait() -> None:
    gone = ExpiredError("too old")
    script = ScriptedListWatch(lists=[gone, gone, gone, page(30)], streams=[NO_STREAMS, [HOLD]])
    async with reflecting(script) as rig:
        await rig.until(lambda: rig.view.synced)
        lists = [call for call in script.calls if call.verb == "list"]
        assert [call.resource_version for call in lists] == ["0", "", "", ""]
        assert lists[1].at == lists[0].at
        assert lists[2].at - lists[1].at >= 0.8


async def test_a_server_that_calls_each_version_too_old_is_no_hot_loop() -> None:
    script = ScriptedListWatch(
        lists=[page(n) for n in range(20, 120)],
        streams=[NO_STREAMS, *[ExpiredError("too old")] * 100],
    )
    async with reflecting(script) as rig:
        await rig.until(lambda: rig.view.relists >= 12)
        assert script.calls[-1].at > 120


async def test_a_relist_deletes_what_is_gone() -> None:
    script = ScriptedListWatch(
        lists=[page(10, *PODS[:3]), page(12, PODS[0], thing("pod-3", 12))],
        streams=[NO_STREAMS, [60.0, ExpiredError("too old")]],
    )
    async with reflecting(script) as rig:
        await rig.until(lambda: rig.view.relists == 1)
        # pod-1 is as it was, pod-2 was deleted and pod-3 changed while nobody watched.
        assert rig.changes[3:] == ["pod-3@12", "-pod-2"]


async def test_a_relist_shows_as_syncing_and_not_as_a_failure() -> None:
    script = ScriptedListWatch(
        lists=[page(10)], streams=[NO_STREAMS, [60.0, ExpiredError("too old")]]
    )
    async with reflecting(script) as rig:
        await rig.until(lambda: len(script.calls) == 4)
        assert rig.view.status is ConnectionStatus.SYNCING
        assert (rig.view.error, rig.view.retries) == ("", 0)
        assert rig.view.synced


async def test_an_error_that_may_have_lost_a_change_makes_the_reflector_list() -> None:
    """client-go's TestReflectorReplacesStoreOnUnsafeDelete."""
    corrupt = status(500, "StoreReadError", "corrupt object has been deleted")
    script = ScriptedListWatch(
        lists=[page(3, *PODS[:3]), page(5, *PODS[:3])],
        streams=[NO_STREAMS, [line("ADDED", thing("foo", 4)), 5.0, line("ERROR", corrupt)]],
    )
    async with reflecting(script) as rig:
        await rig.until(lambda: rig.view.relists == 1)
        assert [rv for verb, rv in script.requests if verb == "list"] == ["0", "4"]
        assert "foo" not in rig.held
        assert rig.changes[-1] == "-foo"


async def test_a_broken_connection_does_not_lead_to_a_list() -> None:
    broken = UnreachableError("the connection broke")
    script = ScriptedListWatch(
        lists=[page(10, *PODS)], streams=[NO_STREAMS, [60.0, broken], broken, [HOLD]]
    )
    async with reflecting(script) as rig:
        await rig.until(lambda: len(script.calls) == 5)
        watches = [request for request in script.requests if request[0] == "watch"]
        assert watches == [("watch", "10")] * 3
        assert rig.view.relists == 0


async def test_items_are_decoded_between_turns_of_others() -> None:
    script = ScriptedListWatch(
        lists=[page(10, *(thing(f"p{n}", n) for n in range(1, 351)))], streams=[NO_STREAMS]
    )
    async with reflecting(script) as rig:
        await rig.until(lambda: rig.view.synced)
        assert len(rig.held) == 350
