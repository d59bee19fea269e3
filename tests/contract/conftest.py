"""Clusters to hold to one contract: a real one of the testbed, and a simulated one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from contract.servers import OnDemand, started_on_demand
from simulated.spoke import SimulatedSpoke, simulated_spoke
from testbed.fleet import shared_fleet
from testbed.spoke import Spoke

BOTH = ["simulated", pytest.param("real", marks=pytest.mark.acceptance)]


@pytest.fixture(scope="session")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatedSpoke]:
    """A simulated cluster."""
    folder: Path = tmp_path_factory.mktemp("simulated")
    with simulated_spoke(folder) as spoke:
        yield spoke


@pytest.fixture(scope="session")
def real() -> Iterator[Spoke]:
    """A real cluster."""
    with shared_fleet(["contract"]) as fleet:
        yield fleet["contract"]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OnDemand]:
    """Starts the Redis of these tests when it is first needed."""
    with started_on_demand(lambda: tmp_path_factory.mktemp("redis")) as start:
        yield start


@pytest.fixture(params=BOTH)
def spoke(request: pytest.FixtureRequest) -> Spoke | SimulatedSpoke:
    """Each of them."""
    found: Spoke | SimulatedSpoke = request.getfixturevalue(request.param)
    return found
