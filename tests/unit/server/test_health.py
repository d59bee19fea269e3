import json

import anyio
from starlette.requests import Request
from starlette.testclient import TestClient

from rollgraph.server.health import Readiness, State, readyz
from unit.server.conftest import Make
from unit.server.mirror import KnownClusters, synced, syncing, unreachable


async def test_waits_for_a_cluster_that_nothing_is_known_of() -> None:
    mirror = KnownClusters()
    readiness = Readiness(mirror, ["a", "b"], 30)
    assert readiness.awaited() == ["a", "b"]
    mirror.put_cluster(syncing("a"))
    assert readiness.awaited() == ["a", "b"]
    mirror.put_cluster(synced("a"))
    assert readiness.awaited() == ["b"]
    mirror.put_cluster(synced("b"))
    assert readiness.awaited() == []


async def test_does_not_wait_for_a_cluster_with_a_known_problem() -> None:
    readiness = Readiness(KnownClusters(synced("a"), unreachable("b")), ["a", "b"], 30)
    assert readiness.awaited() == []


async def test_gives_up_waiting_in_time() -> None:
    readiness = Readiness(KnownClusters(syncing("a")), ["a"], 30)
    await anyio.sleep(29.9)
    assert readiness.awaited() == ["a"]
    await anyio.sleep(0.1)
    assert readiness.awaited() == []


async def test_stays_ready_when_a_cluster_is_lost_later() -> None:
    mirror = KnownClusters(unreachable("a"))
    readiness = Readiness(mirror, ["a"], 30)
    assert readiness.awaited() == []
    mirror.put_cluster(syncing("a"))
    assert readiness.awaited() == []


async def test_a_broken_policy_is_told_and_no_reason_not_to_be_ready() -> None:
    broken = [True]
    readiness = Readiness(KnownClusters(), [], 30, policy_broken=lambda: broken[0])
    request = Request[State]({"type": "http", "state": {"readiness": readiness}})
    for policy_broken in (True, False):
        broken[0] = policy_broken
        answer = await readyz(request)
        assert answer.status_code == 200
        assert json.loads(bytes(answer.body))["policyBroken"] is policy_broken


def test_readyz_says_which_clusters_are_missing(make: Make) -> None:
    mirror = KnownClusters(synced("a"), syncing("b"), unreachable("c"))
    client = make(mirror, known=("a", "b", "c"))
    missing = [
        {"name": "b", "status": "SYNCING", "problem": None},
        {"name": "c", "status": "DISCONNECTED", "problem": "UNREACHABLE"},
    ]
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"status": "waiting", "waitingFor": ["b"], "notSynced": missing}
    mirror.put_cluster(synced("b"))
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ready", "waitingFor": [], "notSynced": missing[1:]}


async def test_readyz_says_what_of_argocd_is_not_kept_up() -> None:
    late: list[str] = []
    readiness = Readiness(KnownClusters(synced("a")), ["a"], 30, lambda: late)
    told = {"status": "ready", "waitingFor": [], "notSynced": []}
    for late in ([], ["Secret", "Application"]):
        request: Request[State] = Request({"type": "http", "state": {"readiness": readiness}})
        answer = await readyz(request)
        assert json.loads(bytes(answer.body)) == told | {"argocdNotWatched": late}


def test_readyz_of_no_clusters_at_all(client: TestClient) -> None:
    assert client.get("/readyz").json() == {"status": "ready", "waitingFor": [], "notSynced": []}


def test_livez_does_not_care_for_clusters(make: Make) -> None:
    answer = make(KnownClusters(unreachable("a")), known=("a", "b")).get("/livez")
    assert answer.status_code == 200
    assert answer.json() == {"status": "alive"}
