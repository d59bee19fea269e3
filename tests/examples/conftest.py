"""The demo, on which the examples run."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from demos import Demo, demo, wait

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
CONNECTED = "{ clusters { nodes { connection { status } } } }"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Real time, for real processes."""
    for item in items:
        if "examples" in item.path.parts:
            item.add_marker(pytest.mark.looptime(False))
            if item.get_closest_marker("timeout") is None:
                item.add_marker(pytest.mark.timeout(120))


@pytest.fixture(scope="session")
def running() -> Iterator[Demo]:
    """A demo in which something happens all the time."""
    with demo("--rate", "60") as started:
        started.serving()

        def connected() -> bool:
            found = started.ask(CONNECTED)["clusters"]["nodes"]
            return [each["connection"]["status"] for each in found] == ["CONNECTED"] * 3

        wait(connected, "all clusters are connected")
        yield started
