"""From objects on a spoke to views in the fleet's model."""

from datetime import timedelta

import anyio

from fakes.fleet import FakeSpoke, running
from fakes.manifests import owned, owner, rollout, thing
from fakes.projection import until
from rollgraph.core.connection import ConnectionStatus, Problem
from rollgraph.core.errors import ForbiddenError, NotInstalledError
from rollgraph.core.refs import Kind, RolloutRef
from rollgraph.core.view import RolloutView
from rollgraph.spokes.informer import ALWAYS, OTHERS_WITHIN
from rollgraph.spokes.store import Change

CHECKOUT = RolloutRef("east", "default", "checkout")


def images(view: RolloutView) -> list[str]:
    return [image.image for image in view.images]


async def test_a_rollout_comes_whole_at_once() -> None:
    east = FakeSpoke("east")
    east.cluster.put(Kind.ROLLOUT, rollout("checkout"))
    east.cluster.put(Kind.REPLICA_SET, owned("checkout-1", owner("Rollout", "checkout")))
    async with running(east) as fleet:
        await until(lambda: fleet.projection.status("east") is ConnectionStatus.CONNECTED)
        assert fleet.projection.log == ["put east/default/checkout"]
        [replica_set] = fleet.projection.rollouts[CHECKOUT].replica_sets
        assert replica_set.replica_set.metadata.name == "checkout-1"
        cluster = fleet.projection.clusters["east"]
        assert cluster.synced
        assert (cluster.kubernetes_version, cluster.argo_rollouts_version) == ("v1.34.4", "v1.8.3")


async def test_a_cluster_is_not_called_read_before_its_rollouts_are_shown() -> None:
    """Rollouts are shown with their pods, or two seconds later: until then they are not missing."""
    east = FakeSpoke("east")
    east.cluster.put(Kind.ROLLOUT, rollout("checkout"))
    east.server.slow[Kind.POD] = OTHERS_WITHIN * 0.9
    async with running(east) as fleet:
        await anyio.sleep(OTHERS_WITHIN / 2)
        cluster = fleet.projection.clusters["east"]
        assert CHECKOUT not in fleet.projection.rollouts
        assert (cluster.status, cluster.synced) == (ConnectionStatus.SYNCING, False)
        assert cluster.stale(cluster.since, timedelta(seconds=10))
        await until(lambda: fleet.projection.status("east") is ConnectionStatus.CONNECTED)
        assert CHECKOUT in fleet.projection.rollouts
        assert fleet.projection.clusters["east"].synced


async def test_changes_follow() -> None:
    east = FakeSpoke("east")
    async with running(east) as fleet:
        await until(lambda: fleet.projection.status("east") is ConnectionStatus.CONNECTED)
        east.cluster.put(Kind.ROLLOUT, rollout("checkout"))
        await until(lambda: CHECKOUT in fleet.projection.rollouts)
        east.cluster.put(Kind.REPLICA_SET, owned("checkout-1", owner("Rollout", "checkout")))
        await until(lambda: bool(fleet.projection.rollouts[CHECKOUT].replica_sets))
        east.cluster.delete(Kind.ROLLOUT, "checkout")
        await until(lambda: CHECKOUT not in fleet.projection.rollouts)
        assert fleet.projection.log[-1] == "drop east/default/checkout"


async def test_an_event_that_changes_no_view_is_not_told() -> None:
    east = FakeSpoke("east")
    async with running(east) as fleet:
        await until(lambda: fleet.projection.status("east") is ConnectionStatus.CONNECTED)
        east.cluster.put(Kind.ROLLOUT, rollout("checkout"))
        east.cluster.put(Kind.POD, owned("stray", owner("ReplicaSet", "unknown")))
        await anyio.sleep(1)
        assert len(fleet.projection.log) == 1


async def test_every_state_is_told_to_the_listener_in_order() -> None:
    told: list[str] = []

    def listen(kind: Kind, change: Change) -> None:
        if kind is Kind.ROLLOUT:
            told.append(change.object.metadata.label("state"))

    east = FakeSpoke("east")
    async with running(east, listener=listen) as fleet:
        await until(lambda: fleet.projection.status("east") is ConnectionStatus.CONNECTED)
        for number in range(50):
            manifest = rollout("checkout")
            manifest["metadata"]["labels"] = {"state": str(number)}
            east.cluster.put(Kind.ROLLOUT, manifest)
        await until(lambda: len(told) == 50)
        assert told == [str(number) for number in range(50)]
        await anyio.sleep(1)
        assert fleet.projection.rollouts[CHECKOUT].rollout.metadata.label("state") == "49"


async def test_no_phase_or_step_is_left_out_however_short_it_was() -> None:
    east = FakeSpoke("east")
    east.cluster.put(Kind.ROLLOUT, rollout("checkout"))
    async with running(east) as fleet:
        await until(lambda: fleet.projection.status("east") is ConnectionStatus.CONNECTED)
        story = [("Progressing", 0), ("Paused", 1), ("Progressing", 2), ("Paused", 3)] * 25
        for phase, index in story:
            manifest = rollout("checkout")
            manifest["status"] = {"phase": phase, "currentStepIndex": index}
            east.cluster.put(Kind.ROLLOUT, manifest)
        east.cluster.delete(Kind.ROLLOUT, "checkout")
        await until(lambda: CHECKOUT not in fleet.projection.rollouts)
    shown = [(view.phase.value, view.step_index) for view in fleet.projection.shown[1:]]
    assert shown == story


async def test_deployments_are_watched_only_while_needed() -> None:
    east = FakeSpoke("east")
    containers = [{"name": "shop", "image": "shop:1"}]
    template = {"template": {"spec": {"containers": containers}}}
    east.cluster.put(Kind.DEPLOYMENT, thing("web") | {"spec": template})

    def watched() -> set[Kind]:
        return {watch.kind for watch in fleet.projection.clusters["east"].watches}

    async with running(east) as fleet:
        await until(lambda: fleet.projection.status("east") is ConnectionStatus.CONNECTED)
        assert Kind.DEPLOYMENT not in watched()
        east.cluster.put(Kind.ROLLOUT, rollout("checkout", workload="web"))
        await until(lambda: Kind.DEPLOYMENT in watched())
        await until(lambda: images(fleet.projection.rollouts[CHECKOUT]) == ["shop:1"])
        east.cluster.put(Kind.ROLLOUT, rollout("checkout"))
        await until(lambda: Kind.DEPLOYMENT not in watched())
        await until(lambda: images(fleet.projection.rollouts[CHECKOUT]) == [])


async def test_only_the_given_namespaces_are_watched() -> None:
    east = FakeSpoke("east", namespaces=("shop", "bank"))
    for namespace in ("shop", "bank", "secret"):
        east.cluster.put(Kind.ROLLOUT, rollout("web", namespace=namespace))
    async with running(east) as fleet:
        await until(lambda: fleet.projection.status("east") is ConnectionStatus.CONNECTED)
        assert fleet.projection.names == {"east/shop/web", "east/bank/web"}
        assert len(fleet.projection.clusters["east"].watches) == 2 * len(ALWAYS)


async def test_rollouts_are_shown_though_pods_may_not_be_read() -> None:
    east = FakeSpoke("east")
    east.cluster.put(Kind.ROLLOUT, rollout("checkout"))
    east.server.refuse[Kind.POD] = ForbiddenError("pods is forbidden")
    async with running(east) as fleet:
        await until(lambda: CHECKOUT in fleet.projection.rollouts)
        await until(lambda: fleet.projection.status("east") is ConnectionStatus.DEGRADED)
        cluster = fleet.projection.clusters["east"]
        assert cluster.problem is Problem.FORBIDDEN
        assert cluster.error == "Pod: pods is forbidden"


async def test_a_right_that_is_granted_is_noticed() -> None:
    east = FakeSpoke("east")
    east.server.refuse[Kind.POD] = ForbiddenError("pods is forbidden")
    async with running(east) as fleet:
        await until(lambda: fleet.projection.status("east") is ConnectionStatus.DEGRADED)
        east.server.refuse.clear()
        with anyio.fail_after(10):
            await until(lambda: fleet.projection.status("east") is ConnectionStatus.CONNECTED)


async def test_a_right_that_is_missing_for_long_is_asked_for_seldom() -> None:
    east = FakeSpoke("east")
    east.server.refuse[Kind.POD] = ForbiddenError("pods is forbidden")
    async with running(east) as fleet:
        await anyio.sleep(600)
        before = len([request for request in east.server.requests if request[1] is Kind.POD])
        await anyio.sleep(600)
        after = len([request for request in east.server.requests if request[1] is Kind.POD])
        # Two requests each time: a stream, and the list that it falls back to.
        assert 20 <= after - before <= 42
        east.server.refuse.clear()
        with anyio.fail_after(62):
            await until(lambda: fleet.projection.status("east") is ConnectionStatus.CONNECTED)


async def test_without_argo_rollouts_there_is_nothing_until_it_is_installed() -> None:
    east = FakeSpoke("east")
    east.server.refuse[Kind.ROLLOUT] = NotInstalledError("HTTP 404 Not Found")
    async with running(east) as fleet:
        await until(lambda: fleet.projection.status("east") is ConnectionStatus.DISCONNECTED)
        assert fleet.projection.clusters["east"].problem is Problem.NOT_INSTALLED
        east.server.refuse.clear()
        east.cluster.put(Kind.ROLLOUT, rollout("checkout"))
        with anyio.fail_after(31):
            await until(lambda: fleet.projection.status("east") is ConnectionStatus.CONNECTED)
        await until(lambda: CHECKOUT in fleet.projection.rollouts)


async def test_rollouts_are_forgotten_only_when_the_kind_stays_away() -> None:
    east = FakeSpoke("east")
    east.cluster.put(Kind.ROLLOUT, rollout("checkout"))
    async with running(east) as fleet:
        await until(lambda: CHECKOUT in fleet.projection.rollouts)
        east.server.refuse[Kind.ROLLOUT] = NotInstalledError("HTTP 404 Not Found")
        await anyio.sleep(5)
        east.server.cut()
        await until(lambda: fleet.projection.status("east") is ConnectionStatus.DISCONNECTED)
        # An API server that has just started may not know its CRDs yet.
        await anyio.sleep(20)
        assert CHECKOUT in fleet.projection.rollouts
        await anyio.sleep(15)
        assert CHECKOUT not in fleet.projection.rollouts
