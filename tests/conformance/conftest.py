"""The suites, and the gateway that they look at."""

from collections.abc import Iterator

import pytest

from browser.gateway import gateway as sample_gateway
from conformance.suite import Suites
from rollgraph.server.settings import Http, Rates, Settings

# The first run gets the packages from npm.
INSTALLING = 600


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks all tests of this folder."""
    for item in items:
        if "conformance" in item.path.parts:
            item.add_marker(pytest.mark.conformance)
            item.add_marker(pytest.mark.looptime(False))
            item.add_marker(pytest.mark.timeout(INSTALLING))


@pytest.fixture(scope="session")
def suites(tmp_path_factory: pytest.TempPathFactory) -> Suites:
    """Node with the packages."""
    return Suites(tmp_path_factory.mktemp("suites"))


@pytest.fixture(scope="session")
def gateway() -> Iterator[str]:
    """The URL of a gateway over samples."""
    # A fuzzer asks more in a minute than a portal of a thousand people.
    boundless = Rates(points=0, action_points=0)
    with sample_gateway(Settings(http=Http(graphiql=False), rates=boundless)) as url:
        yield f"{url}/graphql"
