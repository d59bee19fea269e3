"""Which spokes there are, and how each is reached."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import msgspec

from rollgraph.core.identity import IdentityMode
from rollgraph.ports.patching import OpenPatcher
from rollgraph.ports.watching import OpenListWatch


class Spoke(msgspec.Struct, frozen=True):
    """A cluster to watch, as a source of spokes describes it.

    Attributes:
        name: Its name in the fleet, unique.
        fingerprint: Changes whenever anything about how to reach it changes, credentials too; it
            reveals nothing.
        open: Opens its API server; each call gives a new one, which the caller closes.
        namespaces: The namespaces to watch; empty means all.
        labels: The operator's labels for the cluster, such as environment and region.
        open_patcher: Opens it to be changed; each call gives a new one, which the caller closes.
            None for a spoke that can only be watched.
        identity: As whom actions are carried out on it; None for whatever is usual in the fleet.
    """

    name: str
    fingerprint: str
    open: "OpenListWatch"
    namespaces: tuple[str, ...] = ()
    labels: dict[str, str] = {}
    open_patcher: "OpenPatcher | None" = None
    identity: IdentityMode | None = None


class SpokeSource(Protocol):
    """Where the spokes come from."""

    def watch(self) -> AbstractAsyncContextManager[AsyncIterator[Sequence[Spoke]]]:
        """All spokes now, then all spokes again whenever the source changed.

        The first item comes at once; a source that cannot be read at the start raises
        `ConfigError`. Later trouble (a half-written file) keeps the last good answer and is logged.
        """
