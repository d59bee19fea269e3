"""A mirror that can remember nothing still visits what does not move exactly once."""

from datetime import timedelta

import pytest

from contract import walks
from rollgraph.adapters.memory import MemoryMirror, index, mirror


def test_walks_go_on_without_their_pins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "DEAD_FOR", timedelta(0))
    monkeypatch.setattr(mirror, "MAX_ORDERS", 1)
    walks.run(MemoryMirror, remembered=timedelta(0))


def test_walks_that_lose_their_pins_to_too_much_change_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(index, "MAX_DEAD", 2)
    monkeypatch.setattr(index, "_MANY", 1)
    walks.run(MemoryMirror, remembered=timedelta(0))
