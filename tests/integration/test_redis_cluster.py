"""The feed on a Redis Cluster whose servers die, and whose slots move, while it is written."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import anyio
import pytest
from anyio import to_thread
from redis.asyncio.cluster import ClusterNode
from redis.crc import key_slot

from contract.servers import (
    RedisCluster,
    RedisServer,
    redis_cluster,
    redis_server,
    rights,
)
from factories import NOON, rollout_view
from fakes.readers import BriskReaders
from rollgraph.adapters.clock import SystemClock
from rollgraph.adapters.redis.broker import RedisBroker
from rollgraph.adapters.redis.cluster import Cluster
from rollgraph.adapters.redis.keys import PARTITIONS, Keys
from rollgraph.adapters.redis.leases import RedisLeases
from rollgraph.adapters.redis.opening import Client, greet, open_redis
from rollgraph.core.connection import ClusterView, ConnectionStatus, WatchView
from rollgraph.core.errors import BrokerError
from rollgraph.core.feed.entries import Subject, Value
from rollgraph.core.feed.replica import Step
from rollgraph.core.refs import Kind
from rollgraph.core.view import RolloutView
from rollgraph.feed.follower import Follower
from rollgraph.feed.publisher import Publisher
from testbed.ports import free_port

pytestmark = pytest.mark.looptime(False)

KEYS = Keys()
SPOKES = [f"prod-{number}" for number in range(12)]
# Where the first of them is.
SLOT = key_slot(KEYS.meta(SPOKES[0]).encode())


class Reader(BriskReaders):
    """A sink that remembers, and says when something came."""

    def __init__(self) -> None:
        self.known: dict[str, dict[Subject, Value]] = {}
        self.percents: dict[str, list[int]] = {}
        self._came = anyio.Event()

    def take(self, cluster: str, step: Step) -> None:
        value = step.entry.value
        self.known.setdefault(cluster, {})[step.entry.subject] = value
        if isinstance(value, RolloutView):
            self.percents.setdefault(cluster, []).append(value.progress.percent)
        self._came.set()

    def forget(self, cluster: str) -> None:
        self.known.pop(cluster, None)

    async def until_all_read(self, percent: int) -> None:
        """Returns once the rollout of each spoke has come so far."""
        with anyio.fail_after(30):
            while any(self.percents.get(spoke, [-1])[-1] != percent for spoke in SPOKES):
                self._came = anyio.Event()
                await self._came.wait()


class Ways:
    """A worker of some spokes, and a gateway with another client."""

    def __init__(self, writes: Client, reads: Client) -> None:
        self.reader = Reader()
        self.follower = Follower(RedisBroker(reads), self.reader)
        broker = RedisBroker(writes)
        self.workers = {s: Publisher(s, broker, SystemClock(), Random(1)) for s in SPOKES}

    def put(self, percent: int) -> None:
        for spoke, worker in self.workers.items():
            worker.put_rollout(rollout_view(f"{spoke}/shop/checkout", percent=percent))

    def moved_on(self) -> bool:
        """Whether no spoke has told a fact twice, or gone back."""
        return all(told == sorted(set(told)) for told in self.reader.percents.values())

    async def put_all(self, percents: range) -> None:
        """Says one after the other, fast."""
        for percent in percents:
            self.put(percent)
            await anyio.sleep(0.01)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisCluster]:
    with redis_cluster(tmp_path_factory.mktemp("cluster"), replicas=3) as running:
        yield running


@asynccontextmanager
async def opened(cluster: RedisCluster, user: str = "") -> AsyncIterator[Cluster]:
    """A client."""
    redis = open_redis(cluster.url.replace("://", f"://{user}"))
    assert isinstance(redis, Cluster)
    try:
        yield redis
    finally:
        await redis.aclose()


@asynccontextmanager
async def running(cluster: RedisCluster, user: str = "") -> AsyncIterator[Ways]:
    """All of it, once the first state was read."""
    async with opened(cluster, user) as writes, opened(cluster, user) as reads:
        ways = Ways(writes, reads)
        for spoke, worker in ways.workers.items():
            status = ConnectionStatus.CONNECTED
            watch = WatchView(Kind.ROLLOUT, "", status, NOON, synced=True)
            worker.put_cluster(ClusterView(spoke, status, NOON, watches=(watch,)))
        ways.put(0)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ways.follower.run)
            for worker in ways.workers.values():
                tasks.start_soon(worker.run)
            await ways.reader.until_all_read(0)
            yield ways
            tasks.cancel_scope.cancel()


async def test_a_user_who_may_no_more_than_the_docs_say_may_enough(cluster: RedisCluster) -> None:
    for node in cluster.nodes:
        node.ask("ACL", "SETUSER", "rollgraph", *rights())
    async with running(cluster, "rollgraph:PASSWORD@") as ways:
        await ways.put_all(range(1, 10))
        await ways.reader.until_all_read(9)


class Roles:
    """Who of a cluster holds what now, as one that lives sees it."""

    def __init__(self, cluster: RedisCluster, seen_by: RedisServer) -> None:
        by_port = {node.port: node for node in cluster.nodes}
        self.ids: dict[RedisServer, str] = {}
        self.replica_of: dict[str, RedisServer] = {}
        self._slots: dict[RedisServer, list[range]] = {}
        for line in seen_by.ask("CLUSTER", "NODES").splitlines():
            id_, address, flags, of, _, _, _, _, *slots = line.split()
            node = by_port[int(address.partition("@")[0].rpartition(":")[2])]
            self.ids[node] = id_
            if "fail" not in flags and of != "-":
                self.replica_of[of] = node
            ends = [part.split("-") for part in slots if part[0] != "["]
            self._slots[node] = [range(int(end[0]), int(end[-1]) + 1) for end in ends]

    @property
    def primaries(self) -> list[RedisServer]:
        """Those that hold data."""
        return [node for node, slots in self._slots.items() if slots]

    def owner(self, slot: int) -> RedisServer:
        """Who has a slot."""
        return next(node for node, all_ in self._slots.items() if any(slot in s for s in all_))

    def copy(self, slot: int) -> RedisServer:
        """Who has a copy of it."""
        return self.replica_of[self.ids[self.owner(slot)]]


async def test_spokes_are_spread_over_all_servers(cluster: RedisCluster) -> None:
    async with running(cluster) as ways:
        await ways.put_all(range(1, 50))
        await ways.reader.until_all_read(49)
        for spoke in SPOKES:
            assert ways.reader.percents[spoke] == list(range(50))
    assert all(int(node.ask("DBSIZE")) for node in cluster.primaries)


def move(slot: int, source: RedisServer, target: RedisServer, roles: Roles) -> None:
    """Moves a slot, key by key, as redis-cli does."""
    setslot = ("CLUSTER", "SETSLOT", str(slot))
    target.ask(*setslot, "IMPORTING", roles.ids[source])
    source.ask(*setslot, "MIGRATING", roles.ids[target])
    while keys := source.ask("CLUSTER", "GETKEYSINSLOT", str(slot), "1").split():
        source.ask("MIGRATE", "127.0.0.1", str(target.port), keys[0], "0", "1000")
    for node in (target, source, *roles.primaries):
        node.ask(*setslot, "NODE", roles.ids[target])


async def test_slots_move_while_messages_flow_and_nothing_is_lost(cluster: RedisCluster) -> None:
    roles = Roles(cluster, cluster.nodes[0])
    source = roles.owner(SLOT)
    target = next(node for node in roles.primaries if node is not source)
    async with running(cluster) as ways:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ways.put_all, range(1, 100))
            await to_thread.run_sync(move, SLOT, source, target, roles)
            await to_thread.run_sync(move, SLOT, target, source, roles)
        await ways.reader.until_all_read(99)
        assert ways.moved_on()


async def test_a_copy_that_takes_over_is_written_and_heard(cluster: RedisCluster) -> None:
    async with running(cluster) as ways:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ways.put_all, range(1, 100))
            Roles(cluster, cluster.nodes[0]).copy(SLOT).ask("CLUSTER", "FAILOVER")
        await ways.reader.until_all_read(99)
        assert ways.moved_on()


async def test_a_server_dies_and_its_copy_takes_over_and_nothing_is_lost(
    cluster: RedisCluster,
) -> None:
    roles = Roles(cluster, cluster.nodes[0])
    dead = roles.owner(SLOT)
    seen_by = next(node for node in roles.primaries if node is not dead)
    async with running(cluster) as ways, opened(cluster) as redis:
        # Of a worker that has nothing else to ask there.
        leases = RedisLeases(redis)
        await leases.hold("ann.1", SPOKES, ())
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ways.put_all, range(1, 100))
            dead.stop()
            with pytest.raises(BrokerError, match="leases: "):
                await leases.hold("ann.1", SPOKES, ())
        await ways.reader.until_all_read(99)
        assert (await leases.hold("ann.1", SPOKES, ())).keys() == set(SPOKES)
        assert Roles(cluster, seen_by).owner(SLOT) is not dead
        # It comes back as the other's copy, and who asks it is sent to the other.
        dead.start()
        await ways.put_all(range(100, 150))
        await ways.reader.until_all_read(149)


async def greeted(url: str) -> str:
    """What is wrong with whatever is there."""
    redis = open_redis(url)
    try:
        with pytest.raises(BrokerError) as told:
            await greet(redis)
    finally:
        await redis.aclose()
    return str(told.value)


async def test_a_cluster_is_greeted_as_one(cluster: RedisCluster) -> None:
    async with opened(cluster) as redis:
        await greet(redis)


async def test_one_of_a_cluster_is_not_taken_for_a_server_that_is_alone(
    cluster: RedisCluster,
) -> None:
    said = await greeted(cluster.nodes[1].url)
    assert "it is one of a cluster: expected redis+cluster://HOST:PORT" in said


async def test_a_server_that_is_alone_is_not_taken_for_a_cluster(tmp_path: Path) -> None:
    with redis_server(tmp_path) as alone:
        said = await greeted(alone.url.replace("redis://", "redis+cluster://"))
    assert "Cluster mode is not enabled on this node" in said


async def test_where_all_servers_have_moved_those_are_asked_that_were_named(
    cluster: RedisCluster,
) -> None:
    async with opened(cluster) as redis:
        await greet(redis)
        redis.nodes_manager.startup_nodes = {"gone": ClusterNode("127.0.0.1", free_port())}
        homes = await redis.homes(KEYS.channels())
        assert sum(len(channels) for channels in homes.values()) == PARTITIONS
