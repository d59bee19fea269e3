"""A stream of many rollouts: filters, kinds, a pace, and readers who are slow."""

from datetime import timedelta

import pytest

from factories import rollout_view
from rollgraph.core.phase import Phase
from rollgraph.core.refs import RolloutRef
from rollgraph.core.view import RolloutView
from unit.schema.streams.streaming import Live

FLEET = """
subscription Fleet(
  $filter: RolloutFilter, $kinds: [RolloutEventKind!], $initial: Boolean! = true,
  $interval: Duration, $after: String
) {
  rolloutEvents(
    filter: $filter, kinds: $kinds, includeInitial: $initial, minInterval: $interval,
    resumeAfter: $after
  ) {
    kind cursor receivedAt
    ... on RolloutSnapshotEvent { rollout { name phase } }
    ... on PhaseChangedEvent { from to rollout { name } }
    ... on RolloutUpdatedEvent { rollout { name progress { percent } } }
    ... on RolloutDeletedEvent { name }
    ... on ResyncEvent { reason clusterName }
  }
}
"""
DEGRADED = {"phase": ["DEGRADED"]}


def view(name: str, phase: Phase = Phase.HEALTHY, percent: int = 100) -> RolloutView:
    return rollout_view(f"east/shop/{name}", phase=phase, percent=percent)


def named(event: dict[str, object]) -> tuple[object, object]:
    rollout = event.get("rollout")
    return event["kind"], rollout["name"] if isinstance(rollout, dict) else event.get("name")


@pytest.fixture
async def live() -> Live:
    made = Live()
    made.put(view("web"), view("db"))
    return made


async def test_what_begins_to_match_is_added_and_what_ceases_to_is_deleted(live: Live) -> None:
    live.put(view("db", Phase.DEGRADED))
    async with live.reader(FLEET, filter=DEGRADED) as reader:
        assert named(await reader.event()) == ("SNAPSHOT", "db")
        live.put(view("web", Phase.PAUSED), view("web", Phase.DEGRADED))
        live.put(view("web", Phase.DEGRADED, percent=50), view("db"))
        live.drop(RolloutRef("east", "shop", "web"))
        live.drop(RolloutRef("east", "shop", "db"))
        assert [named(event) for event in await reader.events(4)] == [
            ("ADDED", "web"),
            ("UPDATED", "web"),
            ("DELETED", "db"),
            ("DELETED", "web"),
        ]
        assert await reader.silent()


async def test_without_the_state_only_changes_are_told(live: Live) -> None:
    async with live.reader(FLEET, initial=False) as reader:
        event = await reader.event_after(lambda: live.put(view("web", Phase.PAUSED)))
        # It was there before: it is no new one.
        assert named(event) == ("PHASE_CHANGED", "web")


async def test_only_kinds_that_are_asked_for_are_told(live: Live) -> None:
    async with live.reader(FLEET, kinds=["DELETED", "ADDED"]) as reader:

        def act() -> None:
            live.put(view("web", Phase.PAUSED), view("api"))
            live.drop(RolloutRef("east", "shop", "web"))

        assert named(await reader.event_after(act)) == ("ADDED", "api")
        assert named(await reader.event()) == ("DELETED", "web")


async def test_a_pace_puts_together_what_happens_to_one_rollout(live: Live) -> None:
    async with live.reader(FLEET, interval="PT10S", initial=False) as reader:
        began = live.clock.now()
        first = await reader.event_after(lambda: live.put(view("web", percent=1)))
        assert first["rollout"]["progress"] == {"percent": 1.0}
        for percent in range(2, 9):
            live.put(view("web", percent=percent))
        live.put(view("db", percent=50))
        assert named(await reader.event()) == ("UPDATED", "db")
        assert live.clock.now() - began < timedelta(seconds=1)
        last = await reader.event(within=12)
        assert named(last) == ("UPDATED", "web")
        assert last["rollout"]["progress"] == {"percent": 8.0}
        assert timedelta(seconds=10) <= live.clock.now() - began < timedelta(seconds=11)


async def test_a_pace_loses_nobody_who_comes_back(live: Live) -> None:
    async with live.reader(FLEET, interval="PT10S") as reader:
        await reader.events(2)
        live.put(view("web", percent=1))
        await reader.event()
        live.put(view("web", percent=2), view("db", percent=50))
        told = await reader.event()
        assert named(told) == ("UPDATED", "db")
    # The second change of `web` was held back, and later news were told.
    async with live.reader(FLEET, interval="PT10S", after=told["cursor"]) as reader:
        events = await reader.events(2)
        percents = {named(e)[1]: e["rollout"]["progress"]["percent"] for e in events}
        assert percents == {"web": 2.0, "db": 50.0}


async def test_what_was_told_while_other_news_were_held_back_is_not_told_again(live: Live) -> None:
    live.put(rollout_view("west/shop/api", percent=1))
    async with live.reader(FLEET, interval="PT10S") as reader:
        await reader.events(3)
        live.put(view("web", percent=1))
        await reader.event()
        live.put(view("web", percent=2), rollout_view("west/shop/api", percent=2))
        assert named(await reader.event()) == ("UPDATED", "api")
        last = await reader.event(within=12)
        assert named(last) == ("UPDATED", "web")
    async with live.reader(FLEET, interval="PT10S", after=last["cursor"]) as reader:
        assert await reader.silent()


@pytest.mark.parametrize("interval", ["PT0S", "PT2H", "P1D"])
async def test_a_pace_that_makes_no_sense_is_refused(live: Live, interval: str) -> None:
    async with live.reader(FLEET, interval=interval) as reader:
        code, message = await reader.error()
    assert code == "BAD_USER_INPUT"
    assert "`minInterval`" in message


async def test_a_filter_that_makes_no_sense_is_refused(live: Live) -> None:
    async with live.reader(FLEET, filter={"labelSelector": "a in ("}) as reader:
        assert (await reader.error())[0] == "BAD_USER_INPUT"
    assert live.fanout._listeners == {}


async def test_a_slow_reader_gets_the_latest_of_each(live: Live) -> None:
    async with live.reader(FLEET) as reader:
        await reader.events(2)
        for percent in range(1000):
            live.put(view("web", percent=percent % 99), view("db", percent=percent % 97))
        percents: dict[object, float] = {}
        heard = 0
        while percents != {"web": 999 % 99, "db": 999 % 97}:
            event = await reader.event()
            heard += 1
            percents[event["rollout"]["name"]] = event["rollout"]["progress"]["percent"]
        assert heard <= 256
        assert await reader.silent()


async def test_a_reader_who_is_much_too_slow_begins_anew() -> None:
    live = Live()
    live.put(view("web"))
    async with live.reader(FLEET) as reader:
        await reader.event()
        for number in range(300):
            live.put(view(f"shop-{number}"))
        live.drop(RolloutRef("east", "shop", "web"))
        resync = await reader.event()
        assert (resync["kind"], resync["clusterName"]) == ("RESYNC", None)
        gone = await reader.event()
        assert named(gone) == ("DELETED", "web")
        state = [named(event) for event in await reader.events(300)]
        assert sorted(state) == sorted(("SNAPSHOT", f"shop-{n}") for n in range(300))
        assert await reader.silent()


async def test_a_cluster_that_leaves_takes_its_rollouts_with_it(live: Live) -> None:
    async with live.reader(FLEET) as reader:
        await reader.events(2)
        live.put(rollout_view("west/shop/cart"))
        assert named(await reader.event()) == ("ADDED", "cart")
        live.fanout.forget("east")
        events = [named(event) for event in await reader.events(4)]
    assert events == [
        ("RESYNC", None),
        ("DELETED", "db"),
        ("DELETED", "web"),
        ("SNAPSHOT", "cart"),
    ]


async def test_two_that_see_the_same_get_the_same_bytes_of_one_execution(live: Live) -> None:
    async with live.reader(FLEET) as one, live.reader(FLEET, kinds=["PHASE_CHANGED"]) as other:
        await one.events(2)
        event = await other.event_after(lambda: live.put(view("web", Phase.PAUSED)))
        assert event == await one.event()
        live.put(view("db", Phase.PAUSED))
        first, second = await one.answer(), await other.answer()
        assert first is second
