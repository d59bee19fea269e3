"""Processes that meet on a Redis: how they start, share a cluster, and end."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from acceptance.company import Worker
from acceptance.gateway import ROLLGRAPH, Gateway
from contract.servers import RedisServer, redis_cluster, redis_server
from simulated.spoke import SimulatedSpoke, simulated_spoke
from testbed.deadline import wait_until

pytestmark = pytest.mark.looptime(False)

EMPTY = "{apiVersion: v1, kind: Config, clusters: [], contexts: [], users: []}"


ABORT = """mutation { abortRollout(input: {
    rollout: { key: { cluster: "simulated", namespace: "shop", name: "none" } }
    reason: "told to the other"
}) { applied } }"""


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    file = tmp_path / "empty.yaml"
    file.write_text(EMPTY, "utf-8")
    return file


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with redis_server(tmp_path_factory.mktemp("redis"), "--requirepass", "s3cret") as server:
        yield server


@pytest.fixture(scope="module")
def password(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("password") / "password"
    file.write_text("s3cret\n", "utf-8")
    return file


@pytest.fixture(scope="module")
def spoke(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatedSpoke]:
    with simulated_spoke(tmp_path_factory.mktemp("spoke")) as running:
        yield running


def refused(command: str, kubeconfig: Path, *flags: str) -> tuple[int, str]:
    argv = [str(ROLLGRAPH), command, "--kubeconfig", str(kubeconfig), "--port", "0", *flags]
    ended = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False)
    return ended.returncode, ended.stderr


@pytest.mark.parametrize("command", ["worker", "gateway"])
def test_a_part_wants_to_know_where_it_meets_the_others(command: str, empty: Path) -> None:
    status, said = refused(command, empty)
    assert status == 2
    assert f"redis.url (--redis): expected where the Redis is that `rollgraph {command}`" in said


def test_a_url_that_is_none_is_said_to_be_none(empty: Path) -> None:
    status, said = refused("serve", empty, "--redis", "http://:s3cret@redis")
    assert status == 2
    assert "redis.url (--redis): expected redis://HOST:PORT, or rediss://HOST:PORT for TLS" in said
    assert "s3cret" not in said


def test_a_redis_that_is_not_there_is_named_without_its_password(empty: Path) -> None:
    status, said = refused("gateway", empty, "--redis", "redis://:s3cret@127.0.0.1:1")
    assert status == 1
    assert re.search(
        r"redis.url \(--redis\): 127.0.0.1:1: first question: .*expected a Redis", said
    )
    assert "s3cret" not in said


def test_a_password_file_that_cannot_be_read_is_named(empty: Path, tmp_path: Path) -> None:
    missing = str(tmp_path / "missing")
    flags = ("--redis", "redis://127.0.0.1:1", "--redis-password-file", missing)
    status, said = refused("worker", empty, *flags)
    assert status == 2
    assert f"--redis-password-file): {missing} cannot be read: No such file" in said


@pytest.mark.timeout(90)
def test_two_that_do_all_share_a_cluster_and_one_takes_over(
    redis: RedisServer, password: Path, spoke: SimulatedSpoke, tmp_path: Path
) -> None:
    flags = ("--redis", redis.url, "--redis-password-file", str(password), "--redis-prefix", "all")
    with ExitStack() as stack:
        gateways = [
            stack.enter_context(Gateway(spoke.kubeconfig, tmp_path, flags, "serve", name))
            for name in ("one", "two")
        ]
        for gateway in gateways:
            gateway.wait_until_synced()
        assert living(redis, password, "all:workers") == "2"
        one, two = gateways
        assert ["spoke_added" in each.process.output() for each in gateways] == [True, False]
        one.ask(ABORT)
        one.process.stop()
        wait_until(
            lambda: None if "spoke_added" in two.process.output() else "not yet",
            seconds=3,
            what="the other watches",
        )
        two.wait_until_synced()
        # It also knows what was done at the other, up to the end of that.
        audit = two.ask("{ auditEvents(first: 1) { nodes { verb reason } partial } }")
        assert audit["auditEvents"] == {
            "nodes": [{"verb": "abort", "reason": "told to the other"}],
            "partial": False,
        }
        assert "s3cret" not in two.process.output()


@pytest.mark.timeout(90)
def test_a_gateway_shows_a_cluster_that_nobody_watches_and_fills_when_somebody_does(
    redis: RedisServer, password: Path, spoke: SimulatedSpoke, tmp_path: Path
) -> None:
    flags = ("--redis", redis.url, "--redis-password-file", str(password), "--redis-prefix", "part")
    asked = "{ rollouts { partial } clusters { nodes { name connection { status } } } }"
    waits = ("--ready-within", "1")
    with Gateway(spoke.kubeconfig, tmp_path, (*flags, *waits), "gateway") as gateway:
        answer = gateway.ask(asked)
        (cluster,) = answer["clusters"]["nodes"]
        assert (cluster["name"], cluster["connection"]["status"]) == ("simulated", "SYNCING")
        assert answer["rollouts"]["partial"]
        with ExitStack() as stack:
            worker = Worker("ann", spoke.kubeconfig, tmp_path, *flags)
            stack.callback(worker.close)
            worker.start()
            gateway.wait_until_synced()
            assert worker.watched == ["simulated"]
            assert not gateway.ask(asked)["rollouts"]["partial"]


@pytest.mark.timeout(90)
def test_they_meet_on_a_cluster_of_redis(spoke: SimulatedSpoke, tmp_path: Path) -> None:
    (tmp_path / "redis").mkdir()
    with redis_cluster(tmp_path / "redis") as cluster, ExitStack() as stack:
        flags = ("--redis", cluster.url)
        worker = Worker("ann", spoke.kubeconfig, tmp_path, *flags)
        stack.callback(worker.close)
        worker.start()
        gateway = stack.enter_context(Gateway(spoke.kubeconfig, tmp_path, flags, "gateway"))
        gateway.wait_until_synced()
        gateway.ask(ABORT)
        audit = gateway.ask("{ auditEvents(first: 1) { nodes { verb } } }")
        assert audit == {"auditEvents": {"nodes": [{"verb": "abort"}]}}


def living(redis: RedisServer, password: Path, key: str) -> str:
    return redis.ask("-a", password.read_text("utf-8").strip(), "--no-auth-warning", "ZCARD", key)
