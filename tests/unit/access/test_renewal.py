"""Whoever listens is woken when rights may have changed, and not else."""

from collections.abc import Hashable

import anyio

from rollgraph.access.everything import Everything
from rollgraph.access.renewal import LOOK_EVERY, Renewal
from rollgraph.core.viewer import Viewer
from rollgraph.ports import Rights


class Says:
    """An authority of some version."""

    stamp: Hashable = 1

    def rights(self, viewer: Viewer) -> Rights:
        return Everything(viewer)


async def test_each_change_is_told_once() -> None:
    says, told = Says(), []
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(Renewal(says, lambda: told.append(says.stamp)).run)
        await anyio.sleep(LOOK_EVERY * 10)
        assert told == []
        says.stamp = 2
        await anyio.sleep(LOOK_EVERY * 10)
        says.stamp = 3
        await anyio.sleep(LOOK_EVERY * 10)
        tasks.cancel_scope.cancel()
    assert told == [2, 3]
