"""The feed on a Redis that is reached by TLS and wants to see a certificate itself."""

from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest

from contract.servers import ANY_PORT, RedisServer, redis_cluster, redis_server
from factories import NOON, rollout_view
from fakes.certificates import make_certificates
from rollgraph.adapters.redis.broker import RedisBroker
from rollgraph.adapters.redis.opening import greet, open_redis
from rollgraph.core.errors import BrokerError, ConfigError
from rollgraph.core.feed.entries import Batch, Fact
from rollgraph.core.refs import ObjectKey
from testbed.ports import free_port

pytestmark = pytest.mark.looptime(False)

FACT = Fact(ObjectKey("shop", "checkout"), rollout_view("east/shop/checkout"), NOON)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("certificates")
    make_certificates(folder, server_names="IP:127.0.0.1")
    return folder


def flags(files: Path, port: str) -> list[str]:
    """Those of a server that listens for TLS, too."""
    pairs = {
        "--tls-port": port,
        "--tls-cert-file": str(files / "server.crt"),
        "--tls-key-file": str(files / "server.key"),
        "--tls-ca-cert-file": str(files / "ca.crt"),
        "--tls-auth-clients": "yes",
    }
    return [word for pair in pairs.items() for word in pair]


@pytest.fixture(scope="module")
def server(files: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    words = flags(files, str(free_port()))
    with redis_server(tmp_path_factory.mktemp("redis"), *words) as running:
        yield running


@pytest.fixture
def url(server: RedisServer) -> str:
    return f"rediss://127.0.0.1:{server.flag('--tls-port')}"


async def test_facts_travel_by_tls(url: str, files: Path) -> None:
    await travel(url, files)


async def test_so_they_do_in_a_cluster(files: Path, tmp_path: Path) -> None:
    words = [*flags(files, ANY_PORT), "--tls-cluster", "yes"]
    with redis_cluster(tmp_path, flags=words) as cluster:
        port = cluster.nodes[0].flag("--tls-port")
        await travel(f"rediss+cluster://127.0.0.1:{port}", files)


async def travel(url: str, files: Path) -> None:
    redis = open_redis(url, "", files / "ca.crt", files / "client.crt", files / "client.key")
    broker = RedisBroker(redis)
    try:
        await greet(redis)
        feed, _ = await broker.claim("east")
        async with broker.listen() as heard:
            with anyio.fail_after(10):
                assert await anext(heard) is None
                await feed.append([FACT])
                assert isinstance(await anext(heard), Batch)
    finally:
        await redis.aclose()


async def refusal(url: str, ca: Path | None, cert: Path | None, key: Path | None) -> str:
    redis = open_redis(url, "", ca, cert, key)
    try:
        with pytest.raises(BrokerError) as told:
            await greet(redis)
    finally:
        await redis.aclose()
    return str(told.value)


async def test_a_server_whose_authority_is_not_known_is_not_believed(url: str, files: Path) -> None:
    said = await refusal(url, None, files / "client.crt", files / "client.key")
    assert "certificate verify failed" in said


async def test_who_shows_no_certificate_is_not_let_in(url: str, files: Path) -> None:
    assert "first question: " in await refusal(url, files / "ca.crt", None, None)


def test_certificates_are_for_tls(files: Path) -> None:
    with pytest.raises(ConfigError, match="no TLS is asked for: expected rediss://"):
        open_redis("redis://redis", ca_file=files / "ca.crt")
