"""Views are made of what is dirty, a little at a time, one odd rollout hurting no other."""

from typing import Any

import anyio
import msgspec

from fakes.manifests import rollout
from fakes.projection import RecordingProjection, until
from rollgraph.core.belongings import Belongings
from rollgraph.core.objects.decode import kube_object
from rollgraph.core.objects.rollout import Rollout
from rollgraph.core.refs import Kind
from rollgraph.core.view import RolloutView, build_view
from rollgraph.spokes.inventory import Inventory
from rollgraph.spokes.projector import Projector
from rollgraph.spokes.store import Delivery


def filled(*names: str) -> Inventory:
    inventory = Inventory()
    inventory.replace(Kind.ROLLOUT, [delivery(rollout(name)) for name in names])
    return inventory


def delivery(manifest: dict[str, Any]) -> Delivery:
    manifest["metadata"]["uid"] = manifest["metadata"]["name"]
    return Delivery(kube_object(Kind.ROLLOUT, msgspec.json.encode(manifest)))


def refusing(name: str) -> Any:
    def build(cluster: str, found: Rollout, belongings: Belongings) -> RolloutView:
        if found.metadata.name == name:
            raise ZeroDivisionError
        return build_view(cluster, found, belongings)

    return build


async def test_one_rollout_that_breaks_our_code_does_not_hide_the_others() -> None:
    projection = RecordingProjection()
    projector = Projector("east", projection, refusing("odd"))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(projector.run, filled("a", "odd", "z"))
        await until(lambda: len(projection.log) == 2)
        assert projection.names == {"east/default/a", "east/default/z"}
        tasks.cancel_scope.cancel()


async def test_what_a_next_worker_does_not_find_is_dropped() -> None:
    projection = RecordingProjection()
    projector = Projector("east", projection)
    for names in (("a", "b"), ("b", "c")):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(projector.run, filled(*names))
            await anyio.sleep(1)
            tasks.cancel_scope.cancel()
    assert projection.names == {"east/default/b", "east/default/c"}
    # b was there all the while, and nobody was told of it twice.
    assert projection.log.count("put east/default/b") == 1
    assert "drop east/default/a" in projection.log


async def test_others_get_their_turn_while_many_are_dirty() -> None:
    projection = RecordingProjection()
    projector = Projector("east", projection)
    turns = 0
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(projector.run, filled(*(f"r{number}" for number in range(2000))))
        while len(projection.log) < 2000:
            await anyio.lowlevel.checkpoint()
            turns += 1
        tasks.cancel_scope.cancel()
    assert turns > 3
