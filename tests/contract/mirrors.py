"""The implementations of `Mirror` and `Projection` that the contract is held against."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

from factories import NOON
from rollgraph.adapters.memory import MemoryMirror
from rollgraph.ports import Clock, Mirror, Projection


class Fleet(Projection, Mirror, Protocol):
    """Both sides of one model."""


class HandClock:
    """A clock that goes when told to."""

    def __init__(self) -> None:
        self.time = NOON

    def now(self) -> datetime:
        return self.time

    def forward(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


FleetFactory = Callable[[Clock], Fleet]
FACTORIES: dict[str, FleetFactory] = {"memory": MemoryMirror}
