"""What the collector of Python still visits once a process serves."""

import gc
from collections.abc import Iterator

import pytest

from rollgraph.server import garbage


@pytest.fixture
def collector() -> Iterator[None]:
    """As the collector was before, afterwards."""
    thresholds = gc.get_threshold()
    try:
        yield
    finally:
        gc.unfreeze()
        gc.set_threshold(*thresholds)


@pytest.mark.usefixtures("collector")
def test_what_is_there_by_then_is_not_visited_again_and_what_comes_later_is() -> None:
    before = [{"of": "the schema"}]
    garbage.settle()
    later = [{"of": "a stream"}]
    visited = {id(each) for each in gc.get_objects()}
    assert id(before) not in visited
    assert id(later) in visited
    assert len(visited) < gc.get_freeze_count()
