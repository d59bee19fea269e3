"""The broker on Redis, when Redis is away, comes back, or comes back with less than it had."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import anyio
import msgspec
import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from contract.servers import RedisServer
from factories import NOON, rollout_view
from fakes.projection import until
from rollgraph.adapters.clock import SystemClock
from rollgraph.adapters.memory import MemoryMirror
from rollgraph.adapters.redis import frames, hearing
from rollgraph.adapters.redis.broker import RedisBroker
from rollgraph.adapters.redis.keys import Keys
from rollgraph.adapters.redis.opening import greet, open_redis
from rollgraph.adapters.redis.receipts import RedisReceipts
from rollgraph.adapters.redis.secret import shared_secret
from rollgraph.adapters.redis.sessions import RedisSessions
from rollgraph.adapters.redis.urls import place
from rollgraph.adapters.sealing import JweSealing
from rollgraph.core.connection import ClusterView, ConnectionStatus, WatchView
from rollgraph.core.errors import BrokerError, ConfigError, FencedError, IdentityProviderError
from rollgraph.core.feed.entries import Batch, Fact
from rollgraph.core.refs import Kind, ObjectKey
from rollgraph.core.session import Grant, Session
from rollgraph.core.view import RolloutView
from rollgraph.core.viewer import Viewer
from rollgraph.feed.fanout import FanOut
from rollgraph.feed.follower import Follower

KEYS = Keys()
FRAME = frames.frame
SEALS = JweSealing([b"k" * 32])
pytestmark = pytest.mark.looptime(False)

CHECKOUT, CART = ObjectKey("shop", "checkout"), ObjectKey("shop", "cart")
FACTS = [
    Fact(CHECKOUT, rollout_view("east/shop/checkout"), NOON),
    Fact(CART, rollout_view("east/shop/cart"), NOON),
]


@pytest.fixture
def server(tmp_path: Path) -> RedisServer:
    return RedisServer(tmp_path, "--appendonly", "yes", "--appendfsync", "always")


@pytest.fixture
async def redis(server: RedisServer) -> AsyncIterator[Redis]:
    server.start()
    found = Redis.from_url(server.url)
    try:
        yield found
    finally:
        await found.aclose()
        server.stop()


async def test_without_redis_the_error_says_what_could_not_be_done(tmp_path: Path) -> None:
    redis = Redis.from_url(RedisServer(tmp_path).url)
    broker = RedisBroker(redis)
    with pytest.raises(BrokerError, match="claim of east: "):
        await broker.claim("east")
    with pytest.raises(BrokerError, match="positions: "):
        await broker.positions()
    await redis.aclose()


async def test_a_restart_that_loses_nothing_leaves_the_writer_in_peace(
    server: RedisServer, redis: Redis
) -> None:
    broker = RedisBroker(redis)
    feed, _ = await broker.claim("east")
    await feed.append(FACTS)
    server.stop()
    with pytest.raises(BrokerError):
        await feed.append(FACTS[:1])
    server.start()
    assert (await feed.append(FACTS[:1])).seq == 3


async def test_after_a_restart_no_number_is_given_twice(server: RedisServer, redis: Redis) -> None:
    """Nobody can tell whether the server has lost the last second: a new worker trusts nothing."""
    broker = RedisBroker(redis)
    feed, _ = await broker.claim("east")
    before = await feed.append(FACTS)
    server.stop()
    server.start()
    with pytest.raises(BrokerError, match="claim of east"):
        await broker.claim("east")  # over the connection that was
    _, after = await broker.claim("east")
    assert after.position.epoch != before.epoch
    assert {entry.subject for entry in after.entries} == {CHECKOUT, CART}
    assert sorted(entry.seq for entry in after.entries) == [1, 2]
    assert after.position.seq == 2
    assert await broker.log("east", before) is None


async def test_a_server_that_lost_all_fences_the_writer(redis: Redis) -> None:
    broker = RedisBroker(redis)
    feed, first = await broker.claim("east")
    await feed.append(FACTS)
    await redis.flushall()
    with pytest.raises(FencedError):
        await feed.append(FACTS)
    again, empty = await broker.claim("east")
    assert (list(empty.entries), empty.position.seq) == ([], 0)
    assert empty.position.epoch != first.position.epoch
    assert (await again.append(FACTS)).seq == 2


async def test_a_server_that_came_back_older_fences_the_writer(redis: Redis) -> None:
    broker = RedisBroker(redis)
    feed, _ = await broker.claim("east")
    await feed.append(FACTS)
    await redis.hset(KEYS.meta("east"), "seq", 1)
    with pytest.raises(FencedError):
        await feed.append(FACTS)


async def test_who_listens_is_told_that_the_connection_was_another(
    server: RedisServer, redis: Redis
) -> None:
    broker = RedisBroker(redis)
    feed, _ = await broker.claim("east")
    async with broker.listen() as heard:
        assert await anext(heard) is None
        await redis.client_kill_filter(_type="pubsub")
        with anyio.fail_after(10):
            assert await anext(heard) is None
        await feed.append(FACTS[:1])
        assert isinstance(await anext(heard), Batch)
        server.stop()
        server.start()
        with anyio.fail_after(10):
            assert await anext(heard) is None


async def test_who_listens_notices_a_server_that_hangs(
    server: RedisServer, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hearing, "QUIET", 0.3)
    broker = RedisBroker(redis)
    feed, _ = await broker.claim("east")
    async with broker.listen() as heard:
        assert await anext(heard) is None
        with capture_logs() as logs, server.hung():
            await until(lambda: bool(logs))
        assert logs[0]["error"] == "messages: no sign of life for 0.6 s"
        with anyio.fail_after(10):
            assert await anext(heard) is None
        await feed.append(FACTS[:1])
        with anyio.fail_after(10):
            assert isinstance(await anext(heard), Batch)


async def test_who_listens_in_quiet_times_is_not_disturbed(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hearing, "QUIET", 0.05)
    broker = RedisBroker(redis)
    feed, _ = await broker.claim("east")
    async with broker.listen() as heard:
        assert await anext(heard) is None
        await anyio.sleep(0.5)
        await feed.append(FACTS[:1])
        with anyio.fail_after(10):
            assert isinstance(await anext(heard), Batch)


async def test_what_another_version_has_written_is_said_and_not_shown(redis: Redis) -> None:
    broker = RedisBroker(redis)
    feed, _ = await broker.claim("east")
    await feed.append(FACTS)
    await redis.hset(KEYS.state("east"), str(CHECKOUT), b"1|\x09later")
    with pytest.raises(BrokerError, match="snapshot of east: expected form 01, got 09"):
        await broker.snapshot("east")
    async with broker.listen() as heard:
        assert await anext(heard) is None
        await redis.spublish(KEYS.channel("east"), b"\x00nonsense")
        with anyio.fail_after(10):
            assert await anext(heard) is None


async def test_a_worker_tells_all_anew_where_another_version_has_written(redis: Redis) -> None:
    broker = RedisBroker(redis)
    feed, first = await broker.claim("east")
    await feed.append(FACTS)
    await redis.hset(KEYS.state("east"), str(CHECKOUT), b"1|\x09later")
    with capture_logs() as logs:
        again, snapshot = await broker.claim("east")
    (line,) = logs
    assert (line["event"], line["cluster"]) == ("feed_begun_anew", "east")
    assert "expected form 01, got 09: another version of Rollgraph has written it" in line["error"]
    assert (list(snapshot.entries), snapshot.position.seq, snapshot.checkpoint) == ([], 0, None)
    assert snapshot.position.epoch != first.position.epoch
    with pytest.raises(FencedError):
        await feed.append(FACTS)
    assert await broker.log("east", first.position) is None
    await again.append(FACTS[1:])
    found = await broker.snapshot("east")
    assert found is not None
    assert [entry.subject for entry in found.entries] == [CART]


def east(at: datetime) -> ClusterView:
    watch = WatchView(Kind.ROLLOUT, "", ConnectionStatus.CONNECTED, NOON, synced=True)
    return ClusterView("east", ConnectionStatus.CONNECTED, NOON, watches=(watch,), confirmed_at=at)


@pytest.mark.parametrize("heartbeats", ["later", "now"])
async def test_a_gateway_shows_nothing_of_another_version_as_fresh(
    redis: Redis, monkeypatch: pytest.MonkeyPatch, heartbeats: str
) -> None:
    """Not even where that can still read, and be read in, what tells that the cluster lives."""
    broker, mirror = RedisBroker(redis), MemoryMirror(SystemClock())
    follower = Follower(broker, FanOut(mirror, mirror), exists=lambda _: True)
    feed, _ = await broker.claim("east")
    before = rollout_view("east/shop/checkout")
    await feed.append([Fact(CHECKOUT, before, NOON), Fact(None, east(NOON), NOON)])
    patience, much_later = timedelta(seconds=10), NOON + timedelta(seconds=30)

    def later(fact: Fact) -> bytes:
        readable = heartbeats == "now" and fact.subject is None
        return FRAME(fact) if readable else b"\x02later"

    def shown() -> tuple[RolloutView | None, datetime | None]:
        cluster = mirror.cluster("east")
        return mirror.rollout(before.ref), cluster.confirmed_at if cluster else None

    with capture_logs() as logs:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(follower.run)
            await until(lambda: shown() == (before, NOON))
            monkeypatch.setattr(frames, "frame", later)
            other = msgspec.structs.replace(before, message="of another version")
            await feed.append([Fact(CHECKOUT, other, much_later)])
            await feed.append([Fact(None, east(much_later), much_later)])
            await until(lambda: any(line["event"] == "feed_not_read" for line in logs))
            await feed.append([Fact(None, east(much_later), much_later)])
            await until(lambda: sum(line["event"] == "feed_not_read" for line in logs) > 1)
            tasks.cancel_scope.cancel()

    assert shown() == (before, NOON)
    cluster = mirror.cluster("east")
    assert cluster is not None
    assert not cluster.stale(NOON, patience)
    assert cluster.stale(much_later, patience)
    told = [line["error"] for line in logs if line["event"] == "feed_not_read"]
    assert "got 02: another version of Rollgraph has written it" in told[0]
    assert "redis.prefix of its own" in told[0]


async def test_logins_and_keys_that_cannot_be_looked_up_say_so(tmp_path: Path) -> None:
    redis = Redis.from_url(RedisServer(tmp_path).url)
    with pytest.raises(IdentityProviderError, match="logins of browsers cannot be looked up"):
        await RedisSessions(redis, SystemClock(), SEALS).get("k")
    with pytest.raises(BrokerError, match="claim of an idempotency key"):
        await RedisReceipts(redis).claim("k", "f")
    await redis.aclose()


async def test_a_login_of_another_version_is_none(redis: Redis) -> None:
    for other in (b"\xc1", SEALS.seal(b"\xc1")):
        await redis.set(KEYS.session("k"), other)
        assert await RedisSessions(redis, SystemClock(), SEALS).get("k") is None


async def test_a_login_tells_nothing_and_cannot_be_put_in_the_place_of_another(
    redis: Redis,
) -> None:
    sessions = RedisSessions(redis, SystemClock(), SEALS)
    now = SystemClock().now()
    grant = Grant(Viewer("ann"), "id-token", "refresh-token", now + timedelta(minutes=5))
    await sessions.put("k", Session(grant, "csrf-secret", now, now), grant.until)
    kept = await redis.get(KEYS.session("k"))
    assert isinstance(kept, bytes)
    for secret in (b"ann", b"id-token", b"refresh-token", b"csrf-secret"):
        assert secret not in kept
    await redis.set(KEYS.session("bob"), kept)
    assert await sessions.get("bob") is None
    assert await sessions.get("k") is not None


async def test_a_key_whose_gateway_has_died_is_free_after_a_while(redis: Redis) -> None:
    dead, other = RedisReceipts(redis, running=0.3), RedisReceipts(redis, running=0.3)
    assert await dead.claim("k", "f") is None
    with anyio.fail_after(5):
        assert await other.claim("k", "f") is None
    await other.keep("k", b"answer")
    await dead.keep("k", b"late")
    assert await dead.claim("k", "f") == b"answer"


async def test_all_gateways_sign_with_one_secret(redis: Redis) -> None:
    first = await shared_secret(redis, KEYS.tickets)
    assert len(first) == 32
    assert await shared_secret(redis, KEYS.tickets) == first


@pytest.mark.parametrize(
    "url", ["127.0.0.1:6379", "http://h:s3cret@x", "redis://", "redis://h:port", "redis://h/db"]
)
def test_a_url_that_is_none_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(ConfigError, match="expected redis://HOST:PORT") as told:
        open_redis(url)
    assert "s3cret" not in str(told.value)


async def test_a_client_finds_its_server_and_says_what_is_wrong_with_it(
    server: RedisServer, redis: Redis
) -> None:
    port = server.url.rpartition(":")[2]
    assert place(f"rediss://ann:s3cret@127.0.0.1:{port}/3") == f"127.0.0.1:{port}"
    await redis.config_set("requirepass", "s3cret")
    good, wrong = (
        open_redis(server.url, "s3cret"),
        open_redis(f"redis://:no-s3cret@127.0.0.1:{port}"),
    )
    try:
        with pytest.raises(BrokerError, match="invalid username-password pair") as told:
            await greet(wrong)
        assert "s3cret" not in str(told.value)
        await greet(good)
        await redis.config_set("maxmemory", "100mb")
        await redis.config_set("maxmemory-policy", "allkeys-lru")
        with capture_logs() as logs:
            await greet(good)
        assert [line["event"] for line in logs] == ["redis_evicts"]
    finally:
        await good.aclose()
        await wrong.aclose()
