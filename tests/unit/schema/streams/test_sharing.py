"""Who shares an answer, and who must not."""

import gc
import weakref

import anyio
import pytest
from graphql.execution.collect_fields import CollectedFields

from factories import rollout_view
from fakes.rights import Some
from rollgraph.core.phase import Phase
from rollgraph.core.verbs import Verb
from rollgraph.core.view import RolloutView
from rollgraph.schema.context import Context
from rollgraph.schema.executor import Executor
from rollgraph.schema.streams.answer import Answer, answer
from rollgraph.schema.streams.sharing import Sharing
from rollgraph.schema.streams.summaries import Counting, Tile
from unit.schema.streams.streaming import Live

PHASES = """
subscription Phases($filter: RolloutFilter, $keys: [String!]) {
  rolloutEvents(filter: $filter) {
    kind ... on PhaseChangedEvent { to rollout { name labels(keys: $keys) { key } %s } }
  }
}
"""
NOTHING_OWN = PHASES % "freshness { stale }"
OWN = PHASES % "viewerActions(actions: [PROMOTE]) { allowed }"
COUNTS = "subscription { rolloutSummaryChanged(groupBy: [PHASE]) { buckets { phase count } } }"
ALL = Some(lambda _: True, verbs=(Verb.WATCH,))


def view(phase: Phase = Phase.HEALTHY) -> RolloutView:
    return rollout_view("east/shop/web", phase=phase, labels={"team": "shop", "tier": "web"})


@pytest.fixture
async def live() -> Live:
    made = Live()
    made.put(view())
    made.rule.say(ALL)
    return made


async def test_readers_of_other_filters_share_what_both_get(live: Live) -> None:
    web = {"name": {"eq": "web"}}
    async with live.reader(NOTHING_OWN) as one, live.reader(NOTHING_OWN, filter=web) as other:
        await one.event()
        await other.event()
        live.put(view(Phase.PAUSED))
        assert await one.answer() is await other.answer()


async def test_what_is_one_callers_alone_is_executed_for_each(live: Live) -> None:
    async with live.reader(OWN) as one, live.reader(OWN) as other:
        await one.event()
        await other.event()
        live.put(view(Phase.PAUSED))
        first, second = await one.answer(), await other.answer()
        assert first is not second
        assert first.json == second.json


async def test_other_values_of_variables_are_another_question(live: Live) -> None:
    async with (
        live.reader(NOTHING_OWN, keys=["team"]) as one,
        live.reader(NOTHING_OWN, keys=["tier"]) as other,
    ):
        await one.event()
        await other.event()
        live.put(view(Phase.PAUSED))
        first, second = await one.event(), await other.event()
    assert first["rollout"]["labels"] == [{"key": "team"}]
    assert second["rollout"]["labels"] == [{"key": "tier"}]


async def test_readers_with_other_rights_share_nothing(live: Live) -> None:
    async with live.reader(NOTHING_OWN) as one, live.reader(NOTHING_OWN) as other:
        await one.event()
        await other.event()
        live.put(view(Phase.PAUSED))
        first = await one.answer()
        live.rule.say(Some(lambda _: True, verbs=(Verb.WATCH, Verb.PROMOTE)))
        second = await other.answer()
        assert second is not first
        assert second.json == first.json


async def answers(live: Live, document: str, late: float) -> list[Answer]:
    """What somebody is told in seven seconds who comes so late."""
    await anyio.sleep(late)
    found = []
    with anyio.move_on_after(7 - late):
        async with live.reader(document) as reader:
            while True:
                found.append(await reader.answer(within=10))
    return found


async def told_while_all_changes(live: Live, *documents: str) -> list[list[Answer]]:
    """What readers are told who come at any time, while ten rollouts a second come."""
    found: list[list[Answer]] = [[] for _ in documents]

    async def read(number: int, document: str) -> None:
        found[number] = await answers(live, document, late=0.3 * number)

    async with anyio.create_task_group() as tasks:
        for number, document in enumerate(documents):
            tasks.start_soon(read, number, document)
        for number in range(70):
            await anyio.sleep(0.1)
            live.put(rollout_view(f"east/shop/new-{number}"))
    return found


async def test_readers_of_the_same_counts_share_them_whenever_they_came(live: Live) -> None:
    first, second, third = await told_while_all_changes(live, COUNTS, COUNTS, COUNTS)
    assert len(first) >= 5
    # The first that one is told is of the moment in which they came.
    for late in (second, third):
        assert [id(each) for each in late[1:]] == [id(each) for each in first[-len(late) + 1 :]]


async def test_readers_of_other_counts_share_none(live: Live) -> None:
    by_name = COUNTS.replace("groupBy: [PHASE]", "groupBy: [NAMESPACE]")
    first, second = await told_while_all_changes(live, COUNTS, by_name)
    assert {each.json for each in first}.isdisjoint(each.json for each in second)


async def test_readers_who_see_others_count_for_themselves(live: Live) -> None:
    async with live.reader(COUNTS) as one:
        await one.event()
        live.rule.say(Some(lambda view: view.ref.name == "web", verbs=(Verb.WATCH,)))
        live.put(rollout_view("east/shop/db"))
        async with live.reader(COUNTS) as other:
            (bucket,) = (await other.event())["buckets"]
    assert bucket["count"] == 1


async def test_counts_that_are_kept_are_bounded(live: Live) -> None:
    counting, asked = Counting(most=2), 0

    def count(_: object) -> list[object]:
        nonlocal asked
        asked += 1
        return []

    context = live.context()
    for name in ("a", "b", "a", "c", "a"):
        counting.counted(Tile(lambda _: True, count, lambda _: None, name), context)
    assert asked == 4


def test_what_is_kept_is_bounded_and_the_oldest_goes_first() -> None:
    sharing = Sharing(max_bytes=100, max_answers=3)
    for number in range(5):
        sharing.keep(number, answer(number, None, ""))
    assert [sharing.find(number) is not None for number in range(5)] == [False, False, *[True] * 3]
    sharing.keep("long", answer("x" * 95, None, ""))
    assert sharing.find("long") is not None
    assert sharing.find(2) is None
    sharing.keep("too long", answer("x" * 200, None, ""))
    assert sharing.find("too long") is None


async def test_readers_who_know_other_rollouts_share_all_but_their_cursors(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    executed = 0
    for_event = Executor.for_event

    def counted(self: Executor, event: object, context: Context) -> Executor:
        nonlocal executed
        executed += 1
        return for_event(self, event, context)

    document = NOTHING_OWN.replace("kind", "kind cursor", 1)
    live.put(rollout_view("east/shop/api", phase=Phase.HEALTHY))
    web = {"name": {"eq": "web"}}
    async with live.reader(document) as one, live.reader(document, filter=web) as other:
        for reader, known in ((one, 2), (other, 1)):
            for _ in range(known):
                await reader.event()
        monkeypatch.setattr(Executor, "for_event", counted)
        live.put(view(Phase.PAUSED))
        first, second = await one.answer(), await other.answer()
    assert executed == 1
    assert first.cursor != second.cursor
    assert f'"cursor":"{first.cursor}"'.encode() in first.json
    assert first.json.replace(first.cursor.encode(), second.cursor.encode()) == second.json


def found_out() -> int:
    """How many lists of selected fields there are."""
    gc.collect()
    return sum(isinstance(each, CollectedFields) for each in gc.get_objects())


async def test_what_is_selected_on_an_event_is_found_out_once(live: Live) -> None:
    async with live.reader(OWN) as one, live.reader(OWN) as other:
        await one.event()
        await other.event()
        after = []
        for _ in range(3):
            for phase in (Phase.PAUSED, Phase.HEALTHY) * 5:
                live.put(view(phase))
                await one.event()
                await other.event()
            after.append(found_out())
    assert after[0] == after[1] == after[2]


async def test_what_is_shared_outlives_no_login(live: Live) -> None:
    rights = Some(lambda _: True, verbs=(Verb.WATCH,))
    login = weakref.ref(rights)
    async with live.reader(PHASES % "mine: name", rights) as reader:  # nobody has asked so before
        await reader.event()
        live.put(view(Phase.PAUSED))
        await reader.event()
    live.rule.say(ALL)
    del rights
    gc.collect()
    assert login() is None
