"""Real control planes for the session, and Rollgraph on top of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from acceptance.gateway import Gateway
from testbed.fleet import Fleet, shared_fleet

pytestmark = pytest.mark.acceptance


@pytest.fixture(scope="session")
def fleet() -> Iterator[Fleet]:
    """Two spokes, `east` and `west`; tests keep apart by namespaces."""
    with shared_fleet() as running:
        yield running


@pytest.fixture(scope="session")
def gateway(fleet: Fleet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """`rollgraph serve` over both spokes."""
    folder: Path = tmp_path_factory.mktemp("gateway")
    with Gateway(fleet.kubeconfig, folder) as running:
        running.wait_until_synced()
        yield running
