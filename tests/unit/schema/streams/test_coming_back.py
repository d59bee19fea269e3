"""Who comes back with a cursor hears what they missed, or begins anew."""

import base64
from typing import Any

import pytest
from msgspec import structs

from factories import rollout_view
from fakes.rights import Some
from rollgraph.core.feed.cursors import encode
from rollgraph.core.feed.entries import Position
from rollgraph.core.feed.news import Frontier
from rollgraph.core.phase import Phase
from rollgraph.core.refs import RolloutRef
from rollgraph.core.verbs import Verb
from rollgraph.core.view import RolloutView
from unit.schema.streams.streaming import Live, Reader, at

FLEET = """
subscription Fleet($after: String, $filter: RolloutFilter, $kinds: [RolloutEventKind!]) {
  rolloutEvents(resumeAfter: $after, filter: $filter, kinds: $kinds) {
    kind cursor clusterName
    ... on RolloutSnapshotEvent { rollout { name phase } }
    ... on PhaseChangedEvent { to rollout { name } }
    ... on RolloutUpdatedEvent { rollout { name } }
    ... on RolloutDeletedEvent { name }
    ... on ResyncEvent { reason }
  }
}
"""
ONE = """
subscription One($after: String) {
  rolloutChanged(
    rollout: {key: {cluster: "east", namespace: "shop", name: "web"}}, resumeAfter: $after
  ) { kind cursor ... on PhaseChangedEvent { to } }
}
"""


def view(ref: str, phase: Phase = Phase.HEALTHY, percent: int = 100) -> RolloutView:
    cluster, name = ref.split("/")
    return rollout_view(f"{cluster}/shop/{name}", phase=phase, percent=percent)


@pytest.fixture
async def live() -> Live:
    made = Live(history=20)
    made.put(view("east/web"), view("west/web"))
    return made


async def cursor(live: Live, document: str, count: int, **variables: Any) -> str:
    """The cursor of the last of some events."""
    async with live.reader(document, **variables) as reader:
        return str((await reader.events(count))[-1]["cursor"])


async def test_what_was_missed_is_told_and_nothing_else(live: Live) -> None:
    after = await cursor(live, FLEET, 2)
    live.put(view("east/web", Phase.PROGRESSING), view("west/web", Phase.PAUSED))
    live.put(view("east/web", Phase.DEGRADED))
    live.drop(RolloutRef("west", "shop", "web"))
    live.put(view("west/db"))
    async with live.reader(FLEET, after=after) as reader:
        missed = await reader.events(5)
        assert at(missed, "kind", "clusterName", "to") == [
            ("PHASE_CHANGED", "east", "PROGRESSING"),
            ("PHASE_CHANGED", "west", "PAUSED"),
            ("PHASE_CHANGED", "east", "DEGRADED"),
            ("DELETED", "west", None),
            ("ADDED", "west", None),
        ]
        live.put(view("east/web"))
        assert (await reader.event())["to"] == "HEALTHY"


async def test_each_event_can_be_continued_from(live: Live) -> None:
    async with live.reader(ONE) as reader:
        told = [await reader.event()]
        for phase in (Phase.PROGRESSING, Phase.PAUSED, Phase.DEGRADED):
            live.put(view("east/web", phase))
        told += await reader.events(3)
    for position, event in enumerate(told[:-1]):
        async with live.reader(ONE, after=event["cursor"]) as reader:
            again = await reader.events(len(told) - position - 1)
        assert at(again, "kind", "to", "cursor") == at(told[position + 1 :], "kind", "to", "cursor")


async def test_a_cursor_in_the_midst_of_what_happened_at_once_loses_none_of_it(live: Live) -> None:
    async with live.reader(ONE) as reader:
        await reader.event()
        live.put(stepped_to(view("east/web", Phase.PROGRESSING), index=1))
        first, second = await reader.events(2)
    assert at([first, second], "kind") == ["PHASE_CHANGED", "STEP_CHANGED"]
    live.put(stepped_to(view("east/web", Phase.PAUSED), index=1))
    async with live.reader(ONE, after=first["cursor"]) as reader:
        assert at(await reader.events(2), "kind", "to") == [
            ("STEP_CHANGED", None),
            ("PHASE_CHANGED", "PAUSED"),
        ]
    async with live.reader(ONE, after=second["cursor"]) as reader:
        assert at(await reader.events(1), "kind", "to") == [("PHASE_CHANGED", "PAUSED")]


async def test_kinds_that_nobody_asked_for_are_no_hole(live: Live) -> None:
    kinds = ["SNAPSHOT", "PHASE_CHANGED"]
    after = await cursor(live, FLEET, 2, kinds=kinds)
    live.put(view("east/web", percent=50), view("east/web", Phase.PAUSED, percent=50))
    live.put(view("east/db"))
    async with live.reader(FLEET, after=after, kinds=kinds) as reader:
        assert at(await reader.events(1), "kind", "to") == [("PHASE_CHANGED", "PAUSED")]
        live.put(view("east/db", Phase.DEGRADED))
        assert (await reader.event())["to"] == "DEGRADED"


async def anew(reader: Reader, *names: str) -> None:
    """The reader is told to begin anew, then how all is."""
    resync = await reader.event()
    assert resync["kind"] == "RESYNC"
    assert "not known any more" in resync["reason"]
    state = await reader.events(len(names))
    assert at(state, "kind") == ["SNAPSHOT"] * len(names)
    assert sorted(f"{e['clusterName']}/{e['rollout']['name']}" for e in state) == sorted(names)


async def test_who_was_away_for_too_long_begins_anew(live: Live) -> None:
    after = await cursor(live, FLEET, 2)
    for percent in range(30):
        live.put(view("east/web", percent=percent))
    async with live.reader(FLEET, after=after) as reader:
        await anew(reader, "east/web", "west/web")
        live.put(view("west/web", Phase.PAUSED))
        assert (await reader.event())["to"] == "PAUSED"


async def test_a_cursor_from_the_midst_of_the_state_is_not_taken_for_all_of_it(live: Live) -> None:
    after = await cursor(live, FLEET, 1)
    async with live.reader(FLEET, after=after) as reader:
        await anew(reader, "east/web", "west/web")


async def test_a_hole_in_a_feed_is_not_told_over(live: Live) -> None:
    after = await cursor(live, FLEET, 2)
    ref = RolloutRef("east", "shop", "web")
    live.take("east", ref.key, view("east/web", Phase.PAUSED), whole=False)
    async with live.reader(FLEET, after=after) as reader:
        await anew(reader, "east/web", "west/web")


async def test_whoever_got_a_part_of_what_fills_a_hole_begins_anew(live: Live) -> None:
    async with live.reader(FLEET) as reader:
        await reader.events(2)
        web, db = RolloutRef("east", "shop", "web"), RolloutRef("east", "shop", "db")
        live.take("east", web.key, view("east/web", Phase.PAUSED), whole=False)
        live.take("east", db.key, view("east/db"), whole=False)
        first, _ = await reader.events(2)
    async with live.reader(FLEET, after=first["cursor"]) as reader:
        await anew(reader, "east/db", "east/web", "west/web")


async def test_another_epoch_says_nothing(live: Live) -> None:
    positions = {name: Position("before", 1) for name in ("east", "west")}
    after = encode(Frontier(positions), frozenset(positions), 0)
    async with live.reader(FLEET, after=after) as reader:
        await anew(reader, "east/web", "west/web")


async def test_another_filter_that_means_others_begins_anew(live: Live) -> None:
    after = await cursor(live, FLEET, 2)
    only = {"cluster": {"eq": "west"}}
    async with live.reader(FLEET, after=after, filter=only) as reader:
        await anew(reader, "west/web")


async def test_rights_that_show_others_by_now_begin_anew(live: Live) -> None:
    live.rule.say(Some(lambda view: view.ref.cluster == "east", verbs=(Verb.WATCH,)))
    after = await cursor(live, FLEET, 1)
    live.rule.say(Some(lambda view: True, verbs=(Verb.WATCH,)))
    async with live.reader(FLEET, after=after) as reader:
        await anew(reader, "east/web", "west/web")


async def test_one_that_went_while_nobody_knows_what_happened_is_told_as_gone(live: Live) -> None:
    after = await cursor(live, ONE, 1)
    for percent in range(30):
        live.put(view("east/web", percent=percent))
    live.drop(RolloutRef("east", "shop", "web"))
    async with live.reader(ONE, after=after) as reader:
        assert at(await reader.events(2), "kind") == ["RESYNC", "DELETED"]


@pytest.mark.parametrize("after", ["nonsense", "AAAA", "é", "x" * 100_000])
async def test_what_is_no_cursor_is_refused(live: Live, after: str) -> None:
    async with live.reader(FLEET, after=after) as reader:
        code, message = await reader.error()
    assert code == "BAD_USER_INPUT"
    assert "`resumeAfter` is not a cursor" in message
    assert live.fanout._listeners == {}


async def test_a_cursor_names_nothing(live: Live) -> None:
    after = await cursor(live, FLEET, 2)
    text = base64.urlsafe_b64decode(after + "==")
    for name in (b"east", b"west", b"web", b"epoch"):
        assert name not in text


async def test_the_transport_can_say_the_cursor(live: Live) -> None:
    after = await cursor(live, ONE, 1)
    live.put(view("east/web", Phase.PAUSED))
    answers = await live.schema.stream(ONE, context_value=live.context(resume_after=after))
    reader = Reader(answers)
    assert (await reader.event())["to"] == "PAUSED"
    await reader.answers.aclose()


def stepped_to(made: RolloutView, index: int) -> RolloutView:
    """The same with so many steps done."""
    return structs.replace(made, step_index=index)
