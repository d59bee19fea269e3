"""How watches fare is heard by who counts it."""

from collections import Counter

from fakes.clock import LoopClock
from fakes.cluster import line, page
from fakes.listwatch import HOLD, ScriptedListWatch
from fakes.manifests import thing
from fakes.reflecting import reflecting
from rollgraph.core.errors import ExpiredError, InvalidRequestError, UnreachableError
from rollgraph.core.refs import Kind
from rollgraph.ports import WatchObserver
from rollgraph.spokes.watchstate import WatchState


class Heard(WatchObserver):
    """Counts what it is told."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def received(self, kind: Kind, type: str) -> None:
        self.counts[f"{kind} {type}"] += 1

    def broken(self, kind: Kind, reason: str) -> None:
        self.counts[f"{kind} broken: {reason}"] += 1

    def listed(self, kind: Kind, reason: str) -> None:
        self.counts[f"{kind} listed: {reason}"] += 1


async def test_events_restarts_and_lists_are_told_with_their_reasons() -> None:
    pod = thing("pod-1", 1)
    script = ScriptedListWatch(
        lists=[page(1, pod), page(20, pod)],
        streams=[
            InvalidRequestError("no WatchList"),
            [line("MODIFIED", thing("pod-1", 5)), 60.0, UnreachableError("reset")],
            [line("DELETED", thing("pod-1", 10)), 60.0, ExpiredError("too old")],
            [line("ADDED", thing("pod-2", 21)), line("MODIFIED", thing("pod-2", 22)), HOLD],
        ],
    )
    heard = Heard()
    async with reflecting(script, observer=heard) as rig:
        await rig.until(lambda: "pod-2" in rig.held)
    assert heard.counts == {
        "Pod listed: START": 1,
        "Pod MODIFIED": 2,
        "Pod broken: UNREACHABLE": 1,
        "Pod DELETED": 1,
        "Pod listed: EXPIRED": 1,
        "Pod ADDED": 1,
    }


async def test_without_a_listener_it_goes_as_well() -> None:
    state = WatchState(Kind.POD, "", LoopClock())
    state.received("ADDED")
    state.listed("1")
    assert state.synced
