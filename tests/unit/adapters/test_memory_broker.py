"""A broker in memory is gone with its process, and what it has said of it is not."""

import gc

from rollgraph.adapters.memory import MemoryBroker


async def test_no_epoch_is_that_of_a_broker_before() -> None:
    """Cursors are kept by clients: of another process's feed they must say nothing."""
    epochs = set()
    for _ in range(50):
        _, snapshot = await MemoryBroker().claim("east")
        epochs.add(snapshot.position.epoch)
        gc.collect()  # whatever takes its place may have its address
    assert len(epochs) == 50
