"""Versions are numbers as far as they are, and opaque else."""

import pytest

from rollgraph.core.resourceversions import at_least


@pytest.mark.parametrize(
    ("held", "wanted", "expected"),
    [
        ("10", "9", True),
        ("9", "10", False),
        ("10", "10", True),
        ("999999999999999999999", "1000000000000000000000", False),
        ("abc", "abc", True),
        ("abc", "abd", False),
        ("10", "abc", False),
        # Neither is a number as Kubernetes writes them.
        ("010", "9", False),
        ("", "", True),
        ("\u0661\u0660", "9", False),
    ],
)
def test_a_version_is_as_new_as_another(held: str, wanted: str, expected: bool) -> None:
    assert at_least(held, wanted) is expected
