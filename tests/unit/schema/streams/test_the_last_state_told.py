"""Whatever changes, whoever asks and however slowly they read: what was told is how it is."""

from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import anyio
import orjson
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from factories import rollout_view
from fakes.rights import Some
from rollgraph.core.feed.entries import Position
from rollgraph.core.filtering import predicate
from rollgraph.core.phase import Phase
from rollgraph.core.refs import RolloutRef
from rollgraph.core.verbs import Verb
from rollgraph.core.view import RolloutView
from rollgraph.schema.ids import global_id
from rollgraph.schema.inputs import RolloutFilter, StringFilter
from unit.schema.streams.streaming import Live

EVENTS = """
subscription Events($filter: RolloutFilter, $interval: Duration, $after: String) {
  rolloutEvents(filter: $filter, minInterval: $interval, resumeAfter: $after) {
    kind cursor
    ... on RolloutSnapshotEvent { rollout { ...State } }
    ... on RolloutUpdatedEvent { rollout { ...State } }
    ... on PhaseChangedEvent { rollout { ...State } }
    ... on RolloutDeletedEvent { id }
  }
}
fragment State on Rollout { id phase message generation }
"""
NAMES = ("cart", "db", "web")
CLUSTERS = ("east", "west")
REFS = [RolloutRef(cluster, "shop", name) for cluster in CLUSTERS for name in NAMES]
FILTERS: list[dict[str, Any] | None] = [
    None,
    {"phase": ["DEGRADED", "PAUSED"]},
    {"cluster": {"eq": "west"}},
    {"name": {"in": ["web", "cart"]}},
]
CORE = [
    None,
    RolloutFilter(phase=[Phase.DEGRADED, Phase.PAUSED]),
    RolloutFilter(cluster=StringFilter(eq="west")),
    RolloutFilter(name=StringFilter(in_=["web", "cart"])),
]

Change: TypeAlias = tuple[str, Any]
changes = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.tuples(st.sampled_from(REFS), st.sampled_from(Phase))),
        st.tuples(st.just("put"), st.tuples(st.sampled_from(REFS), st.sampled_from(Phase))),
        st.tuples(st.just("burst"), st.sampled_from(REFS)),
        st.tuples(st.just("drop"), st.sampled_from(REFS)),
        st.tuples(st.just("hole"), st.sampled_from(REFS)),
        st.tuples(st.just("rights"), st.frozensets(st.sampled_from(NAMES))),
        st.tuples(st.just("forget"), st.sampled_from(CLUSTERS)),
        st.tuples(st.just("read"), st.integers(1, 20)),
        st.tuples(st.just("leave"), st.none()),
        st.tuples(st.just("wait"), st.integers(1, 40)),
    ),
    max_size=60,
)


@dataclass
class Model:
    """The fleet as it is, and a reader's copy of it."""

    live: Live = field(default_factory=lambda: Live(history=40))
    paced: bool = False
    generation: int = 0
    shown: frozenset[str] = frozenset(NAMES)
    known: dict[str, int] = field(default_factory=dict)
    # The newest generation that was ever told of each: nothing goes back, also after a while away.
    newest: dict[str, int] = field(default_factory=dict)
    cursor: str = ""

    def act(self, change: Change) -> None:
        """Something happens to the fleet."""
        kind, what = change
        if kind == "put":
            self.put(*what)
        elif kind == "burst":
            for phase in [*Phase] * 60:
                self.put(what, phase)
        elif kind == "hole":
            self.put(what, Phase.PAUSED, whole=False)
        elif kind == "drop":
            if self.live.mirror.rollout(what) is not None:
                self.live.drop(what)
        elif kind == "forget":
            self.live.fanout.forget(what)
            # The feed that is written next is another one: no name of an epoch is used twice.
            self.live.positions[what] = Position(f"epoch-of-{what}-from-{self.generation}", 0)
        elif kind == "rights":
            self.show(what)

    def put(self, ref: RolloutRef, phase: Phase, *, whole: bool = True) -> None:
        """A rollout is another one."""
        self.generation += 1
        made = rollout_view(str(ref), phase=phase)
        self.live.take(ref.cluster, ref.key, numbered(made, self.generation), whole=whole)

    def show(self, names: frozenset[str]) -> None:
        """The policy shows others."""
        self.shown = names
        self.live.rule.say(Some(lambda view: view.ref.name in names, verbs=(Verb.WATCH,)))
        self.live.fanout.nudge()

    def begin(self) -> None:
        """The reader comes, or comes back."""
        if not self.cursor:
            self.known.clear()

    def hear(self, event: dict[str, Any]) -> None:
        """The reader hears something."""
        self.cursor = event["cursor"]
        kind = event["kind"]
        if kind == "RESYNC":
            self.known.clear()
        elif kind == "DELETED":
            self.known.pop(event["id"], None)
        else:
            rollout = event["rollout"]
            id, generation = rollout["id"], rollout["generation"]
            if kind == "ADDED":
                assert id not in self.known, "what is known is no new one"
            elif kind != "SNAPSHOT":
                assert id in self.known, "what changes is known"
                # At a pace, what was told may be told again to who comes back.
                again = self.paced and generation == self.known[id]
                assert again or generation > self.known[id], "once, and in order"
            assert generation >= self.newest.get(id, 0), "nothing goes back"
            self.known[id] = self.newest[id] = generation

    def truth(self, wanted: RolloutFilter | None) -> dict[str, int]:
        """What the reader has to know."""
        test = predicate(wanted.core() if wanted else None)
        views = [view for view in self.live.mirror.matching(None) if test(view)]
        return {
            ids(view.ref): view.rollout.metadata.generation
            for view in views
            if view.ref.name in self.shown
        }


def ids(ref: RolloutRef) -> str:
    """The id of a rollout."""
    return str(global_id("Rollout", ref.cluster, ref.namespace, ref.name))


def numbered(view: RolloutView, generation: int) -> RolloutView:
    """A view that says how new it is."""
    meta = structs.replace(view.rollout.metadata, generation=generation)
    return structs.replace(view, rollout=structs.replace(view.rollout, metadata=meta))


class Session:
    """A reader at a stream, who takes as many events as they are let."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._let = anyio.Semaphore(0)
        self._all = False

    async def run(self, variables: dict[str, Any]) -> None:
        """Reads until cancelled."""
        context = self._model.live.context()
        schema = self._model.live.schema
        answers: Any = await schema.stream(EVENTS, variables, context)
        async with aclosing(answers):
            while True:
                if not self._all:
                    await self._let.acquire()
                answer = await anext(answers)
                assert not answer.errors, answer.errors
                self._model.hear(orjson.loads(answer.json)["rolloutEvents"])

    def let(self, count: int) -> None:
        """Lets the reader take some more."""
        for _ in range(count):
            self._let.release()

    def let_all(self) -> None:
        """Lets the reader take all that comes."""
        self._all = True
        self._let.release()


async def live_through(story: list[Change], wanted: int, interval: str | None) -> None:
    """Lets all of it happen, with a reader who leaves and comes back."""
    model = Model(paced=interval is not None)
    model.show(frozenset(NAMES))
    for ref in REFS[:4]:
        model.put(ref, Phase.HEALTHY)
    left = [*story]
    while True:
        async with anyio.create_task_group() as tasks:
            session = Session(model)
            variables = {
                "filter": FILTERS[wanted],
                "interval": interval,
                "after": model.cursor or None,
            }
            model.begin()
            tasks.start_soon(session.run, variables)
            await anyio.sleep(0.01)
            while left and left[0][0] != "leave":
                await happen(model, session, left.pop(0))
            if not left:
                session.let_all()
                await anyio.sleep(60)
                assert model.known == model.truth(CORE[wanted])
            tasks.cancel_scope.cancel()
        if not left:
            return
        left.pop(0)


async def happen(model: Model, session: Session, change: Change) -> None:
    """One thing happens."""
    kind, what = change
    if kind == "read":
        session.let(what)
        await anyio.sleep(0.01)
    elif kind == "wait":
        await anyio.sleep(what)
    else:
        model.act(change)


@settings(max_examples=200, deadline=None)
@given(changes, st.integers(0, len(FILTERS) - 1))
async def test_what_was_told_is_how_it_is(story: list[Change], wanted: int) -> None:
    await live_through(story, wanted, None)


@settings(max_examples=100, deadline=None)
@given(changes, st.integers(0, len(FILTERS) - 1))
async def test_it_is_at_a_pace_too(story: list[Change], wanted: int) -> None:
    await live_through(story, wanted, "PT10S")
