"""What the tests of deploy/ share."""

from pathlib import Path

import pytest

# Helm and kubeconform are compiled when the first test asks for them.
BUILDING = pytest.mark.timeout(900)
_HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Each test here may be the first, and needs no loop of its own."""
    for item in items:
        if item.path.is_relative_to(_HERE) and item.get_closest_marker("timeout") is None:
            item.add_marker(BUILDING)
