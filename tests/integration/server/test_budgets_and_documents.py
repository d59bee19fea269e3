"""Gateways that share a Redis count and remember together, and alone while it is away."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx2
import pytest

from acceptance.gateway import ROLLGRAPH, Gateway
from contract.servers import RedisServer, redis_server
from rollgraph.core.documents import digest
from testbed.deadline import wait_until

pytestmark = [pytest.mark.looptime(False), pytest.mark.timeout(90)]

EMPTY = "{apiVersion: v1, kind: Config, clusters: [], contexts: [], users: []}"
# Takes 70: of 100 points a minute only one.
PAGE = "query Page { rollouts(first: 49) { nodes { name } } }"
VERSION = "query Version { gateway { federationVersion } }"
HASHED = {"persistedQuery": {"version": 1, "sha256Hash": digest(VERSION)}}


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    file = tmp_path / "empty.yaml"
    file.write_text(EMPTY, "utf-8")
    return file


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    folder = tmp_path / "redis"
    folder.mkdir()
    with redis_server(folder) as server:
        yield server


def post(gateway: Gateway, **body: Any) -> httpx2.Response:
    return httpx2.post(f"{gateway.url}/graphql", json=body, trust_env=False)


def test_two_gateways_count_and_remember_together_and_alone_without_redis(
    empty: Path, redis: RedisServer, tmp_path: Path
) -> None:
    flags = ("--redis", redis.url, "--rate-points", "100")
    with ExitStack() as stack:
        one, two = (
            stack.enter_context(Gateway(empty, tmp_path, flags, "gateway", name))
            for name in ("one", "two")
        )
        # Answers of the first are what the second one need not be told.
        unknown = post(two, extensions=HASHED).json()
        assert unknown["errors"][0]["message"] == "PersistedQueryNotFound"
        told = {"data": {"gateway": {"federationVersion": "2.9"}}}
        assert post(one, query=VERSION, extensions=HASHED).json() == told
        assert post(two, extensions=HASHED).json() == told

        spent = [post(gateway, query=PAGE, extensions={"cost": True}) for gateway in (one, two)]
        assert [answer.status_code for answer in spent] == [200, 429]
        assert spent[1].json()["errors"][0]["extensions"]["code"] == "RATE_LIMITED"

        redis.stop()
        alone = post(two, query=PAGE, extensions={"cost": True})
        assert alone.status_code == 200
        assert alone.json()["extensions"]["cost"]["limit"] == 100
        wait_until(
            lambda: None if "budgets_counted_alone" in two.process.output() else "not yet",
            seconds=5,
            what="the log says that Redis is away",
        )
        # What was remembered stays known.
        assert post(two, extensions=HASHED).status_code == 200


def test_a_gateway_with_trusted_documents_answers_those_alone(empty: Path, tmp_path: Path) -> None:
    file = tmp_path / "documents.json"
    file.write_text(json.dumps({"version": VERSION}), "utf-8")
    flags = ("--trusted-documents", str(file), "--trusted-only", "refuse")
    with Gateway(empty, tmp_path, flags) as gateway:
        assert post(gateway, documentId="version").status_code == 200
        refused = post(gateway, query=PAGE)
        assert refused.json()["errors"][0]["extensions"]["code"] == "DOCUMENT_NOT_TRUSTED"
        file.write_text(json.dumps({"version": VERSION, "page": PAGE}), "utf-8")
        wait_until(
            lambda: None if "data" in post(gateway, query=PAGE).json() else "not yet",
            seconds=20,
            what="the changed file is taken",
        )


@pytest.mark.parametrize(
    ("command", "content", "told"),
    [
        (
            ["serve", "--port", "0"],
            {"names": "query Names {\n  clusters { nodes { nickname } }\n}"},
            "documents.json: names: 2:22: Cannot query field 'nickname' on type 'Cluster'.",
        ),
        (["config", "check"], [], "documents.json: Expected `object`, got `array`; expected a"),
    ],
)
def test_documents_that_do_not_fit_are_told_before_anything_is_served(
    empty: Path, tmp_path: Path, command: list[str], content: object, told: str
) -> None:
    file = tmp_path / "documents.json"
    file.write_text(json.dumps(content), "utf-8")
    argv = [str(ROLLGRAPH), *command, "--kubeconfig", str(empty)]
    argv += ["--trusted-documents", str(file)]
    ended = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 2
    assert told in ended.stderr
