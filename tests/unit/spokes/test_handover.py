"""A worker that takes a spoke over goes on where the one before had come, and reads no list."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import pairwise
from random import Random
from typing import Any

import anyio
import anyio.abc
import msgspec
import pytest
from structlog.testing import capture_logs

from fakes.clock import LoopClock
from fakes.fleet import FakeSource, FakeSpoke
from fakes.manifests import Manifest, owned, owner, rollout
from fakes.mortal import MortalBroker
from rollgraph.adapters.memory import MemoryBroker
from rollgraph.core.connection import ClusterView, ConnectionStatus
from rollgraph.core.errors import ForbiddenError, UnreachableError
from rollgraph.core.feed import checkpoints
from rollgraph.core.feed.entries import Entry, Fact, Position
from rollgraph.core.refs import Kind, ObjectKey
from rollgraph.core.view import RolloutView
from rollgraph.feed.publishing import Publishing
from rollgraph.spokes import projector
from rollgraph.spokes.strays import MOST
from rollgraph.spokes.supervisor import Supervisor
from rollgraph.spokes.watchstate import CAUGHT_UP_WITHIN, PAUSE

# What tells one state of a rollout from another: phase and step; None once it is gone.
State = tuple[str, int | None] | None
LISTS = {"list", "stream"}


class Relay:
    """A spoke whose workers follow one another, and what its feed has told."""

    def __init__(self, tasks: anyio.abc.TaskGroup) -> None:
        self.broker = MemoryBroker(log=1_000_000)
        self.east = FakeSpoke("east")
        self.described = self.east.spoke()
        self.lag = 0.001
        self._tasks = tasks
        self._scope = anyio.CancelScope()
        self._mortal = MortalBroker(self.broker)
        self._ended = anyio.Event()

    def begin(self) -> None:
        """The next worker begins to watch."""
        self.east.server.requests.clear()
        self._scope, self._ended = anyio.CancelScope(), anyio.Event()
        self._mortal = MortalBroker(self.broker, self.lag)
        self._tasks.start_soon(self._watch, self._mortal, self._scope, self._ended)

    async def stop(self) -> None:
        """As SIGTERM does."""
        self._scope.cancel()
        await self._ended.wait()

    async def kill(self) -> None:
        """As SIGKILL does: what has not been written will not be."""
        self._mortal.dead = True
        await self.stop()

    async def _watch(
        self, broker: MortalBroker, scope: anyio.CancelScope, ended: anyio.Event
    ) -> None:
        publishing = Publishing(broker, LoopClock(), Random(1))
        source = FakeSource(self.described)
        with scope:
            await Supervisor(source, publishing, clock=LoopClock(), rng=Random(1)).run()
        ended.set()

    @property
    def verbs(self) -> set[str]:
        """What the worker has asked of the spoke's collections."""
        return {verb for verb, kind, _ in self.east.server.requests if kind is not None}

    async def entries(self) -> list[Entry]:
        """All that was told."""
        positions = await self.broker.positions()
        found = await self.broker.log("east", Position(positions["east"].epoch, 0))
        assert found is not None
        return list(found)

    async def cluster(self) -> ClusterView | None:
        """What is known of the spoke itself."""
        snapshot = await self.broker.snapshot("east")
        found = [entry.value for entry in snapshot.entries] if snapshot else []
        return next((value for value in found if isinstance(value, ClusterView)), None)

    async def connected(self, seconds: float = 20) -> None:
        """Returns once the present worker calls it connected."""
        with anyio.fail_after(seconds):
            while True:
                cluster = await self.cluster()
                if cluster and cluster.status is ConnectionStatus.CONNECTED and self.verbs:
                    return
                await anyio.sleep(0.01)

    async def states(self, name: str) -> list[State]:
        """What was told of a rollout; nothing was told twice."""
        told = [entry.value for entry in await self.entries() if entry.subject == key(name)]
        assert all(before != after for before, after in pairwise(told)), "told twice"
        return distinct(state(value) for value in told)

    async def view(self, name: str) -> RolloutView:
        snapshot = await self.broker.snapshot("east")
        assert snapshot is not None
        [found] = [entry.value for entry in snapshot.entries if entry.subject == key(name)]
        assert isinstance(found, RolloutView)
        return found


def key(name: str) -> ObjectKey:
    return ObjectKey("default", name)


def state(view: Any) -> State:
    return (str(view.phase), view.step_index) if isinstance(view, RolloutView) else None


def distinct(states: Iterator[State] | list[State]) -> list[State]:
    """Without repetitions: a view also changes with its pods."""
    found: list[State] = []
    for each in states:
        if found[-1:] != [each]:
            found.append(each)
    return found


def at(name: str, phase: str, index: int, uid: str = "") -> Manifest:
    made = rollout(name, status={"phase": phase, "currentStepIndex": index})
    if uid:
        made["metadata"]["uid"] = uid
    return made


@asynccontextmanager
async def relay() -> AsyncIterator[Relay]:
    """A spoke with a rollout, which a first worker has read."""
    async with anyio.create_task_group() as tasks:
        made = Relay(tasks)
        made.east.cluster.put(Kind.ROLLOUT, at("checkout", "Healthy", 0))
        made.east.cluster.put(Kind.REPLICA_SET, owned("checkout-1", owner("Rollout", "checkout")))
        made.east.cluster.put(Kind.POD, owned("checkout-1-a", owner("ReplicaSet", "checkout-1")))
        made.begin()
        await made.connected()
        await anyio.sleep(6)
        yield made
        await made.kill()
        tasks.cancel_scope.cancel()


STORY = [("Progressing", 0), ("Paused", 1), ("Progressing", 1), ("Progressing", 2), ("Healthy", 3)]


@pytest.mark.parametrize("end", ["stop", "kill"])
async def test_what_happens_while_nobody_watches_is_told_in_order_and_nothing_is_listed(
    end: str,
) -> None:
    async with relay() as race:
        await getattr(race, end)()
        for each in STORY:
            race.east.cluster.put(Kind.ROLLOUT, at("checkout", *each))
        race.begin()
        await race.connected()
        assert race.verbs == {"watch"}
        assert await race.states("checkout") == [("Healthy", 0), *STORY]
        [replica_set] = (await race.view("checkout")).replica_sets
        assert [pod.pod.metadata.name for pod in replica_set.pods] == ["checkout-1-a"]


async def test_what_does_not_change_is_not_told_again() -> None:
    async with relay() as race:
        await race.stop()
        told = len(await race.entries())
        race.begin()
        await race.connected()
        await anyio.sleep(60)
        assert {entry.subject for entry in (await race.entries())[told:]} == {None}


async def test_what_is_deleted_while_nobody_watches_is_gone() -> None:
    async with relay() as race:
        race.east.cluster.put(Kind.ROLLOUT, at("cart", "Healthy", 0))
        await anyio.sleep(1)
        await race.kill()
        race.east.cluster.delete(Kind.ROLLOUT, "cart")
        race.east.cluster.delete(Kind.POD, "checkout-1-a")
        race.begin()
        await race.connected()
        assert await race.states("cart") == [("Healthy", 0), None]
        [replica_set] = (await race.view("checkout")).replica_sets
        assert replica_set.pods == ()
        assert race.verbs == {"watch"}


async def test_a_spoke_is_not_called_fresh_before_its_watches_have_caught_up() -> None:
    async with relay() as race:
        await race.stop()
        race.east.server.slow[Kind.POD] = 5.0
        race.begin()
        await anyio.sleep(4.9)
        cluster = await race.cluster()
        assert cluster is not None
        assert cluster.status is ConnectionStatus.SYNCING
        await race.connected(2 * PAUSE)


async def test_a_spoke_that_never_pauses_is_called_fresh_all_the_same() -> None:
    async with relay() as race:
        await race.stop()
        race.begin()
        with anyio.fail_after(CAUGHT_UP_WITHIN + 1):
            for number in range(1000):
                race.east.cluster.put(Kind.ROLLOUT, at("checkout", "Progressing", number))
                await anyio.sleep(PAUSE / 5)
                cluster = await race.cluster()
                if cluster and cluster.status is ConnectionStatus.CONNECTED and number > 5:
                    break
        assert race.verbs == {"watch"}


async def test_a_pod_that_came_before_its_replica_set_is_not_forgotten() -> None:
    async with relay() as race:
        race.east.cluster.put(Kind.POD, owned("cart-1-a", owner("ReplicaSet", "cart-1")))
        race.east.cluster.put(Kind.ROLLOUT, at("checkout", "Progressing", 1))
        await anyio.sleep(1)
        await race.kill()
        race.east.cluster.put(Kind.ROLLOUT, at("cart", "Healthy", 0))
        race.east.cluster.put(Kind.REPLICA_SET, owned("cart-1", owner("Rollout", "cart")))
        race.begin()
        await race.connected()
        [replica_set] = (await race.view("cart")).replica_sets
        assert [pod.pod.metadata.name for pod in replica_set.pods] == ["cart-1-a"]
        assert race.verbs == {"watch"}


async def test_nor_is_it_by_the_worker_after_next() -> None:
    async with relay() as race:
        race.east.cluster.put(Kind.POD, owned("cart-1-a", owner("ReplicaSet", "cart-1")))
        race.east.cluster.put(Kind.ROLLOUT, at("checkout", "Progressing", 1))
        await anyio.sleep(1)
        await race.kill()
        race.begin()
        await anyio.sleep(1)
        race.east.cluster.put(Kind.ROLLOUT, at("checkout", "Progressing", 2))
        await anyio.sleep(1)
        await race.kill()
        cart_comes(race)
        race.begin()
        await race.connected()
        assert await pods_of_cart(race) == ["cart-1-a"]
        assert race.verbs == {"watch"}


async def test_a_pod_waits_for_its_replica_set_as_long_as_those_are_not_watched() -> None:
    async with relay() as race:
        await race.stop()
        race.east.server.refuse[Kind.REPLICA_SET] = ForbiddenError("no")
        race.begin()
        await anyio.sleep(1)
        race.east.cluster.put(Kind.POD, owned("cart-1-a", owner("ReplicaSet", "cart-1")))
        cart_comes(race)
        await anyio.sleep(60)
        assert (await race.view("cart")).replica_sets == ()
        await race.kill()
        race.east.server.refuse.clear()
        race.begin()
        await race.connected()
        assert await pods_of_cart(race) == ["cart-1-a"]
        assert race.verbs == {"watch"}


async def test_pods_are_listed_with_replica_sets_that_nobody_has_read_yet() -> None:
    async with relay() as race:
        await race.stop()
        race.east.server.refuse[Kind.REPLICA_SET] = ForbiddenError("no")
        race.east.cluster.uid = "2"
        race.east.cluster.put(Kind.POD, owned("cart-1-a", owner("ReplicaSet", "cart-1")))
        cart_comes(race)
        race.begin()
        await anyio.sleep(60)
        await race.kill()
        race.east.server.refuse.clear()
        race.begin()
        await race.connected()
        assert await pods_of_cart(race) == ["cart-1-a"]
        listed = {kind for verb, kind, _ in race.east.server.requests if verb in LISTS}
        assert listed == {Kind.REPLICA_SET, Kind.POD}


def cart_comes(race: Relay) -> None:
    race.east.cluster.put(Kind.ROLLOUT, at("cart", "Healthy", 0))
    race.east.cluster.put(Kind.REPLICA_SET, owned("cart-1", owner("Rollout", "cart")))


async def pods_of_cart(race: Relay) -> list[str]:
    [replica_set] = (await race.view("cart")).replica_sets
    return [pod.pod.metadata.name for pod in replica_set.pods]


async def test_more_strays_than_are_kept_are_left_by_nobody() -> None:
    async with relay() as race:
        for number in range(MOST + 1):
            race.east.cluster.put(
                Kind.POD, owned(f"stray-{number}", owner("ReplicaSet", "unknown"))
            )
        await anyio.sleep(1)
        race.east.cluster.put(Kind.ROLLOUT, at("checkout", "Progressing", 1))
        await anyio.sleep(1)
        _, snapshot = await race.broker.claim("east")
        assert snapshot.checkpoint is None


async def test_what_belongs_to_nothing_is_not_kept_for_ever() -> None:
    async with relay() as race:
        race.east.cluster.put(Kind.POD, owned("stray", owner("ReplicaSet", "unknown")))
        await anyio.sleep(1)
        race.east.cluster.put(Kind.ROLLOUT, at("checkout", "Progressing", 1))
        await anyio.sleep(1)
        assert len(list((await left(race)).strays)) == 1
        await anyio.sleep(20)
        assert list((await left(race)).strays) == []


async def left(race: Relay) -> checkpoints.Checkpoint:
    _, snapshot = await race.broker.claim("east")
    assert snapshot.checkpoint is not None
    await anyio.sleep(10)  # whoever was replaced by the question claims it again
    return snapshot.checkpoint


async def test_a_deployment_that_a_rollout_borrows_is_read_anew_before_anything_is_shown() -> None:
    template = {"template": {"spec": {"containers": [{"name": "shop", "image": "shop:1"}]}}}
    async with relay() as race:
        race.east.cluster.put(Kind.DEPLOYMENT, rollout("web") | {"spec": template})
        race.east.cluster.put(Kind.ROLLOUT, rollout("cart", workload="web"))
        await anyio.sleep(6)
        await race.stop()
        race.begin()
        await race.connected()
        listed = {kind for verb, kind, _ in race.east.server.requests if verb in LISTS}
        assert listed == {Kind.DEPLOYMENT}
        views = [e.value for e in await race.entries() if e.subject == key("cart")]
        assert isinstance(views[-1], RolloutView)
        assert [image.image for image in views[-1].images] == ["shop:1"]
        assert len(views) <= 2, "first without the Deployment, then with it"


# Reasons to read everything anew.


async def read_anew(race: Relay) -> str:
    """Lets the next worker begin; why it does not go on where the one before ended."""
    with capture_logs() as logs:
        race.begin()
        await race.connected()
    assert race.verbs & LISTS
    found = [line for line in logs if line["event"] in {"spoke_read_anew", "watch_expired"}]
    return str(found[0].get("reason", found[0]["event"]))


async def test_history_that_the_server_has_forgotten() -> None:
    async with relay() as race:
        await race.stop()
        race.east.cluster.put(Kind.ROLLOUT, at("checkout", "Paused", 1))
        race.east.cluster.delete(Kind.POD, "checkout-1-a")
        race.east.cluster.compact()
        assert await read_anew(race) == "watch_expired"
        assert await race.states("checkout") == [("Healthy", 0), ("Paused", 1)]
        assert (await race.view("checkout")).replica_sets[0].pods == ()


async def test_another_cluster_of_that_name() -> None:
    async with relay() as race:
        await race.stop()
        race.east.cluster.uid = "2"
        race.east.cluster.delete(Kind.ROLLOUT, "checkout")
        assert await read_anew(race) == "it is of another cluster of that name"
        await anyio.sleep(1)
        assert await race.states("checkout") == [("Healthy", 0), None]


@pytest.mark.parametrize("error", [ForbiddenError("no"), UnreachableError("no")])
async def test_a_cluster_that_does_not_say_which_it_is(
    error: ForbiddenError | UnreachableError,
) -> None:
    async with relay() as race:
        await race.stop()
        race.east.server.unnamed = error
        assert await read_anew(race) == "the cluster cannot be told"


async def test_other_namespaces() -> None:
    async with relay() as race:
        await race.stop()
        race.described = msgspec.structs.replace(race.described, namespaces=("default",))
        assert await read_anew(race) == "other namespaces were watched"


async def test_another_version_of_rollgraph(monkeypatch: pytest.MonkeyPatch) -> None:
    async with relay() as race:
        await race.stop()
        monkeypatch.setattr(checkpoints, "shape", lambda: "of a later version")
        assert await read_anew(race) == "it was written by another version of Rollgraph"


async def test_what_was_told_and_how_far_the_watches_were_is_not_known() -> None:
    async with relay() as race:
        await race.kill()
        feed, snapshot = await race.broker.claim("east")
        [fact] = [entry for entry in snapshot.entries if entry.subject is not None]
        await feed.append([Fact(fact.subject, fact.value, fact.at)])
        assert await read_anew(race) == "nobody has left how far its watches had come"


class Truth:
    """A spoke on which something happens, and what a watch of it would tell."""

    def __init__(self, race: Relay, rng: Random) -> None:
        self._race = race
        self._rng = rng
        self._made = 0
        self._uids: dict[str, str] = {}
        self.lists = 0
        self.told: dict[str, list[State]] = {"checkout": [("Healthy", 0)]}

    def happen(self) -> None:
        """One rollout comes, moves or goes; or a pod does."""
        cluster, rng = self._race.east.cluster, self._rng
        name = f"shop-{rng.randrange(4)}"
        told = self.told.setdefault(name, [])
        there = bool(told) and told[-1] is not None
        if there and rng.random() < 0.1:
            cluster.delete(Kind.ROLLOUT, name)
            told.append(None)
        elif there and rng.random() < 0.3:
            self._made += 1
            set_, pod = f"{name}-{self._made}", f"{name}-{self._made}-a"
            by = {"kind": "Rollout", "name": name, "uid": self._uids[name]}
            cluster.put(Kind.REPLICA_SET, owned(set_, by))
            cluster.put(Kind.POD, owned(pod, owner("ReplicaSet", set_)))
        else:
            now = (rng.choice(["Progressing", "Paused", "Degraded"]), rng.randrange(5))
            if not there:
                self._made += 1
                told.append(now)
                self._uids[name] = f"{name}-{self._made}"
            elif told[-1] != now:
                told.append(now)
            cluster.put(Kind.ROLLOUT, at(name, *now, uid=self._uids[name]))


async def lived(race: Relay, rng: Random) -> Truth:
    """Workers follow one another while things happen; what has happened in the end."""
    truth = Truth(race, rng)
    await race.stop()
    race.begin()
    for _ in range(12):
        for _ in range(rng.randrange(30)):
            truth.happen()
            if rng.random() < 0.5:
                await anyio.sleep(rng.choice([0, 0, 0.5, 1, 2, 100]) * race.lag)
        await (race.kill() if rng.random() < 0.6 else race.stop())
        truth.lists += bool(race.verbs & LISTS)
        for _ in range(rng.randrange(10)):
            truth.happen()
        race.begin()
        await anyio.sleep(rng.choice([0.0, 0.01, 0.3, 3.0]))
    await race.connected()
    await anyio.sleep(10)
    return truth


@pytest.mark.parametrize("seed", range(15))
async def test_whenever_a_worker_dies_each_state_is_told_once_and_in_order(seed: int) -> None:
    async with relay() as race:
        truth = await lived(race, Random(seed))
        assert truth.lists == 0
        for name, states in truth.told.items():
            assert await race.states(name) == distinct(states), name


@pytest.mark.parametrize("seed", range(8))
async def test_a_worker_that_dies_amid_what_it_had_to_show_is_followed_by_a_list(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then states in between may be lost, but none comes twice, and the last is right."""
    monkeypatch.setattr(projector, "TURN", 0.0)  # as if each view took as long as a turn
    async with relay() as race:
        race.lag = 0.05
        truth = await lived(race, Random(seed))
        for name, states in truth.told.items():
            told = await race.states(name)
            assert told[-1] == states[-1], name
            assert in_order(told, states), name


def in_order(told: list[State], states: list[State]) -> bool:
    """Whether all that was told happened, in this order."""
    rest = iter(states)
    return all(any(each == state for state in rest) for each in told)
