"""Who shares an answer, and who must not."""

import pytest

from factories import rollout_view
from fakes.rights import Some
from rollgraph.core.phase import Phase
from rollgraph.core.verbs import Verb
from rollgraph.core.view import RolloutView
from rollgraph.schema.streams.answer import answer
from rollgraph.schema.streams.sharing import Sharing
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
