"""Whatever messages and writers go through, every gateway ends with what is, once and in order."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import count
from random import Random
from typing import Protocol

import anyio
import msgspec
from anyio.abc import TaskGroup
from hypothesis import given, settings
from hypothesis import strategies as st

from factories import NOON, rollout_view
from fakes.broker import FaultyBroker
from fakes.clock import LoopClock
from fakes.projection import until
from rollgraph.core.connection import ClusterView, ConnectionStatus, WatchView
from rollgraph.core.feed.entries import Subject, Value
from rollgraph.core.feed.replica import Step
from rollgraph.core.refs import Kind, RolloutRef
from rollgraph.core.view import RolloutView
from rollgraph.feed.follower import Follower
from rollgraph.feed.publisher import Publisher

REFS = [RolloutRef("east", "shop", name) for name in ("cart", "checkout", "search")]
WATCH = WatchView(Kind.ROLLOUT, "", ConnectionStatus.CONNECTED, NOON, synced=True)
READ = ClusterView("east", ConnectionStatus.CONNECTED, NOON, watches=(WATCH,))
# Facts that a log keeps: fewer than what may be missed, so that snapshots are needed, too.
LOG = 6
# Facts that are told without a turn for readers: fewer than a log keeps.
PART = 2
# Seconds after which all is well again once nothing is in the way any more.
HEALED_WITHIN = 60.0


class Gateway:
    """What one has read, held to the promises of a feed; its readers are too slow at times."""

    def __init__(self) -> None:
        self.known: dict[Subject, Value] = {}
        self.slow_until = 0.0
        self._last: Step | None = None

    def crowded(self, news: int) -> bool:
        return anyio.current_time() < self.slow_until

    def give_up(self, news: int) -> None:
        self.slow_until = 0.0

    def take(self, cluster: str, step: Step) -> None:
        self._check(step)
        self._last = step
        if step.entry.value is None:
            self.known.pop(step.entry.subject, None)
        else:
            self.known[step.entry.subject] = step.entry.value

    def forget(self, cluster: str) -> None:
        raise AssertionError("the spoke is there all the while")

    def _check(self, step: Step) -> None:
        last, before = self._last, self.known.get(step.entry.subject)
        if last is not None and last.whole and step.whole:
            assert last.position.epoch == step.position.epoch, "another epoch begins with a hole"
            assert last.position.seq + 1 == step.position.seq, "once, in order, and none left out"
        if isinstance(before, RolloutView) and isinstance(step.entry.value, RolloutView):
            assert before.updated_at <= step.entry.value.updated_at, "it never goes back"


class Writer:
    """A worker while it holds the spoke's lease, and for as long as it thinks so."""

    def __init__(self, tasks: TaskGroup, broker: FaultyBroker, name: str) -> None:
        self.name = name
        self.publisher = Publisher("east", broker, LoopClock(), Random(1), holder=name)
        self._scope = anyio.CancelScope()
        tasks.start_soon(self._run)

    def crash(self) -> None:
        """It is gone, whatever it was about to write."""
        self._scope.cancel()

    async def _run(self) -> None:
        with self._scope:
            await self.publisher.run()


class World:
    """A spoke, the worker that watches it, others that once did, and two gateways."""

    def __init__(self, tasks: TaskGroup, broker: FaultyBroker) -> None:
        self.broker = broker
        self.gateways = [Gateway(), Gateway()]
        self.spoke: dict[RolloutRef, RolloutView] = {}
        self._tasks = tasks
        self._versions = count(1)
        self._names = count(1)
        self._zombies: list[Writer] = []
        self.followers = [
            Follower(broker, gateway, lambda name: name == "east", part=PART)
            for gateway in self.gateways
        ]
        for follower in self.followers:
            tasks.start_soon(follower.run)
        self._begin()

    def change(self, ref: RolloutRef) -> None:
        """The spoke has another version of a rollout, and its worker learns it."""
        at = NOON + timedelta(seconds=next(self._versions))
        self.spoke[ref] = rollout_view(str(ref), updated_at=at)
        self._writer.publisher.put_rollout(self.spoke[ref])

    def delete(self, ref: RolloutRef) -> None:
        """The spoke has a rollout no more."""
        if self.spoke.pop(ref, None) is not None:
            self._writer.publisher.drop_rollout(ref)

    def crash(self) -> None:
        """The worker dies, and another lists the spoke."""
        self._writer.crash()
        self._begin()

    def freeze(self) -> None:
        """The worker is replaced without knowing it, and tells the old from then on."""
        self._zombies.append(self._writer)
        self._begin()
        for zombie in self._zombies:
            for ref in REFS:
                zombie.publisher.put_rollout(rollout_view(str(ref), updated_at=NOON))

    def lose_all(self) -> None:
        """The store begins anew with nothing; leases are taken again."""
        self.broker.lose_all()
        self.broker.inner.hand("east", self._writer.name)

    async def heal(self) -> None:
        """Nothing is in the way any more, and in the end all are right.

        The worker tells that the spoke lives, as it does every few seconds: so it learns of a loss.
        """
        self.broker.away = False
        self.broker.loss = self.broker.repeats = self.broker.delays = 0.0
        alive = msgspec.structs.replace(READ, confirmed_at=LoopClock().now())
        self._writer.publisher.put_cluster(alive)
        wanted: dict[Subject, Value] = {ref.key: view for ref, view in self.spoke.items()}
        wanted[None] = alive
        with anyio.fail_after(HEALED_WITHIN):
            await until(lambda: not any(each.behind for each in self.followers))
            await until(lambda: all(each.known == wanted for each in self.gateways))

    def _begin(self) -> None:
        name = f"worker-{next(self._names)}"
        self.broker.inner.hand("east", name)
        self._writer = Writer(self._tasks, self.broker, name)
        for view in self.spoke.values():
            self._writer.publisher.put_rollout(view)
        self._writer.publisher.put_cluster(READ)


class Act(Protocol):
    """Something that happens."""

    def on(self, world: World) -> None:
        """Lets it happen."""


class Change(msgspec.Struct, frozen=True):
    ref: RolloutRef
    times: int = 1

    def on(self, world: World) -> None:
        for _ in range(self.times):
            world.change(self.ref)


class Delete(msgspec.Struct, frozen=True):
    ref: RolloutRef

    def on(self, world: World) -> None:
        world.delete(self.ref)


class Network(msgspec.Struct, frozen=True):
    loss: float
    repeats: float
    delays: float
    away: bool

    def on(self, world: World) -> None:
        broker = world.broker
        broker.loss, broker.repeats, broker.delays = self.loss, self.repeats, self.delays
        broker.away = self.away


class Slow(msgspec.Struct, frozen=True):
    """Readers of one gateway have no room for so many seconds."""

    gateway: int
    seconds: float

    def on(self, world: World) -> None:
        world.gateways[self.gateway].slow_until = anyio.current_time() + self.seconds


class Crash(msgspec.Struct, frozen=True):
    def on(self, world: World) -> None:
        world.crash()


class Freeze(msgspec.Struct, frozen=True):
    def on(self, world: World) -> None:
        world.freeze()


class LoseAll(msgspec.Struct, frozen=True):
    def on(self, world: World) -> None:
        world.lose_all()


REF = st.sampled_from(REFS)
SHARE = st.sampled_from([0.0, 0.3, 0.7, 1.0])
ACTS: st.SearchStrategy[Act] = st.one_of(
    st.builds(Change, REF, st.integers(1, 10)),
    st.builds(Change, REF),
    st.builds(Delete, REF),
    st.builds(Network, SHARE, SHARE, SHARE, st.booleans()),
    st.builds(Slow, st.sampled_from([0, 1]), st.sampled_from([0.004, 0.02, 0.3, 7.0])),
    st.builds(Crash),
    st.builds(Freeze),
    st.builds(LoseAll),
)
# Seconds until the next act: at once, within an answer of the broker, and beyond a comparison.
WAITS = st.sampled_from([0.0, 0.003, 0.02, 0.3, 7.0])


@asynccontextmanager
async def world(seed: int) -> AsyncIterator[World]:
    broker = FaultyBroker(Random(seed), log=LOG)
    async with anyio.create_task_group() as tasks:
        yield World(tasks, broker)
        tasks.cancel_scope.cancel()


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(ACTS, WAITS), max_size=25), st.integers(0, 1000))
async def test_every_gateway_ends_with_what_is(story: list[tuple[Act, float]], seed: int) -> None:
    async with world(seed) as made:
        for act, wait in story:
            act.on(made)
            await anyio.sleep(wait)
        await made.heal()


async def test_a_hole_of_which_nothing_is_left_is_a_hole() -> None:
    async with world(1) as made:
        await made.heal()
        for act in (Change(REFS[0]), Network(1.0, 0.0, 0.0, away=False), Change(REFS[1], LOG)):
            act.on(made)
            await anyio.sleep(0.3)
        Delete(REFS[1]).on(made)
        await anyio.sleep(7)
        await made.heal()
        made.change(REFS[0])
        await made.heal()
