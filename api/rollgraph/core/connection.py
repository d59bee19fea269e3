"""How well a spoke is watched: the state of each watch, and what follows for the cluster."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from rollgraph.core.refs import Kind


class ConnectionStatus(StrEnum):
    """How far what we hold can be trusted.

    CONNECTED: synced, and changes arrive. SYNCING: the first list is on its way. DEGRADED: rollouts
    arrive but another kind does not. DISCONNECTED: rollouts do not arrive; what we hold is from
    before.
    """

    CONNECTED = "CONNECTED"
    SYNCING = "SYNCING"
    DEGRADED = "DEGRADED"
    DISCONNECTED = "DISCONNECTED"


class Problem(StrEnum):
    """What stands in the way of a watch."""

    UNREACHABLE = "UNREACHABLE"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    FORBIDDEN = "FORBIDDEN"
    NOT_INSTALLED = "NOT_INSTALLED"
    THROTTLED = "THROTTLED"
    MISCONFIGURED = "MISCONFIGURED"
    SERVER_ERROR = "SERVER_ERROR"


class WatchView(msgspec.Struct, frozen=True, gc=False):
    """One watch of one kind. Times are UTC; `status` is never DEGRADED here.

    Attributes:
        namespace: "" for all namespaces.
        resource_version: How far the watch has come, opaque.
        objects: How many objects are held.
        relists: Full lists after the first one.
        retries: Attempts in a row that failed; 0 while connected.
        synced: True once a first full list has been held, even if it is old now.
    """

    kind: Kind
    namespace: str
    status: ConnectionStatus
    since: datetime
    problem: Problem | None = None
    error: str = ""
    resource_version: str = ""
    objects: int = 0
    relists: int = 0
    retries: int = 0
    synced: bool = False
    last_event_at: datetime | None = None
    last_bookmark_at: datetime | None = None


class ClusterView(msgspec.Struct, frozen=True, gc=False):
    """All that is known of a spoke itself.

    Attributes:
        since: When `status` last changed.
        confirmed_at: When the API server last gave a sign of life; None before the first.
        reconnects: Successful connections after the first, over all watches.
    """

    name: str
    status: ConnectionStatus
    since: datetime
    problem: Problem | None = None
    error: str = ""
    labels: dict[str, str] = {}
    watches: tuple[WatchView, ...] = ()
    confirmed_at: datetime | None = None
    last_event_at: datetime | None = None
    reconnects: int = 0
    kubernetes_version: str = ""
    argo_rollouts_version: str = ""

    @property
    def synced(self) -> bool:
        """True once every rollout of the cluster has been read, even if that was long ago."""
        rollouts = [watch for watch in self.watches if watch.kind is Kind.ROLLOUT]
        return bool(rollouts) and all(watch.synced for watch in rollouts)

    def stale(self, now: datetime, patience: timedelta, kind: Kind = Kind.ROLLOUT) -> bool:
        """True unless objects of `kind` are known to be as they are on the spoke.

        Args:
            now: The present.
            patience: How long a silent API server is believed to be alive.
            kind: The kind in question; each has a watch of its own.
        """
        if self.confirmed_at is None or now - self.confirmed_at > patience:
            return True
        watches = [watch for watch in self.watches if watch.kind is kind]
        return not watches or any(w.status is not ConnectionStatus.CONNECTED for w in watches)


class Verdict(msgspec.Struct, frozen=True, gc=False):
    """A cluster's status with the problem that explains it."""

    status: ConnectionStatus
    problem: Problem | None = None
    error: str = ""


def verdict(watches: Sequence[WatchView]) -> Verdict:
    """What the states of its watches mean for a cluster.

    Rollouts decide, the other kinds can only degrade.
    """
    rollouts = [watch for watch in watches if watch.kind is Kind.ROLLOUT]
    for watch in rollouts:
        if watch.status is ConnectionStatus.DISCONNECTED:
            return _explained(ConnectionStatus.DISCONNECTED, watch)
    if not rollouts or any(watch.status is ConnectionStatus.SYNCING for watch in rollouts):
        return Verdict(ConnectionStatus.SYNCING)
    for watch in watches:
        if watch.status is ConnectionStatus.DISCONNECTED:
            return _explained(ConnectionStatus.DEGRADED, watch)
    if any(watch.status is ConnectionStatus.SYNCING for watch in watches):
        return Verdict(ConnectionStatus.SYNCING)
    return Verdict(ConnectionStatus.CONNECTED)


def _explained(status: ConnectionStatus, watch: WatchView) -> Verdict:
    where = f" in namespace {watch.namespace}" if watch.namespace else ""
    return Verdict(status, watch.problem, f"{watch.kind}{where}: {watch.error}")
