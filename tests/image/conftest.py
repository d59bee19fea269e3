"""The image without a container: built once for all of its tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from image import outside
from image.dockerfile import Stage, stages


@pytest.fixture(scope="session")
def last_stage() -> Stage:
    """What is in the image, as the Dockerfile has it."""
    return stages()[-1]


@pytest.fixture(scope="session")
def installed() -> Iterator[Path]:
    """What is /opt/rollgraph in the image."""
    (build,) = (stage for stage in stages() if stage.name == "build")
    with outside.installed(build) as opt:
        yield opt
