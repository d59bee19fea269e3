"""What is known of the rollouts that are watched, and how well."""

from collections.abc import Collection

from rollgraph.core.errors import ConfigError
from rollgraph.core.refs import RolloutRef
from rollgraph.server.remote.watching.state import Connection, Event, Rollout

# Nobody reads more lines, and each has a few KiB.
MOST = 200


def check(count: int) -> None:
    """Raises `ConfigError` if these are more rollouts than can be watched."""
    if count > MOST:
        raise ConfigError(f"more than {MOST} rollouts match: name fewer, or filter more")


class Board:
    """All that is known.

    Attributes:
        rollouts: What was told of each; None of those that are said to be there, or were named, and
            of which nothing has been told yet.
        clusters: How the server watches each cluster.
        unread: Clusters of which the server does not know yet what is there.
        gone: Rollouts that were named and have ceased to be, or to be shown.
        broken: Why nothing is heard from the server now; "" while it is.
    """

    def __init__(self, named: Collection[RolloutRef] = ()) -> None:
        self._named = frozenset(named)
        self._void: set[RolloutRef] = set()
        self.rollouts: dict[RolloutRef, Rollout | None] = dict.fromkeys(named)
        self.clusters: dict[str, Connection] = {}
        self.unread: set[str] = set()
        self.gone: set[RolloutRef] = set()
        self.broken = ""

    def doubt(self) -> None:
        """What was told of each rollout is void until it is told anew."""
        self._void = {ref for ref, known in self.rollouts.items() if known is not None}

    def expect(self, there: Collection[RolloutRef], unread: Collection[str]) -> None:
        """The server has counted: these rollouts are there, and those clusters it has not read."""
        for ref in self._void.difference(there):
            self._lose(ref)
        for ref in there:
            self._keep(ref, self.rollouts.get(ref))
        self.unread = set(unread)

    def hear(self, event: Event) -> None:
        """Takes in what was told. Raises `ConfigError` if there are too many rollouts."""
        ref = event.ref
        if event.kind == "RESYNC":
            self.doubt()
        elif event.rollout is not None:
            self._void.discard(event.rollout.ref)
            self.gone.discard(event.rollout.ref)
            self._keep(event.rollout.ref, event.rollout)
        elif ref is not None:
            self._lose(ref)
        elif event.cluster_name is not None:
            self._hear_of_cluster(event.cluster_name, event)

    def stale(self, ref: RolloutRef) -> str:
        """Why what is known of a rollout may be old; "" if it is the present."""
        if self.broken:
            return self.broken
        if ref in self._void:
            return "not told yet how it is now"
        connection = self.clusters.get(ref.cluster)
        if connection is None:
            rollout = self.rollouts.get(ref)
            return "the server says so" if rollout and rollout.freshness.stale else ""
        if connection.status in {"CONNECTED", "DEGRADED"}:
            return ""
        return connection.last_error or connection.problem or connection.status.lower()

    def _keep(self, ref: RolloutRef, known: Rollout | None) -> None:
        self.rollouts[ref] = known
        check(len(self.rollouts))

    def _lose(self, ref: RolloutRef) -> None:
        known = self.rollouts.pop(ref, None)
        self._void.discard(ref)
        if ref in self._named:
            self.rollouts[ref] = None
            if known is not None:
                self.gone.add(ref)

    def _hear_of_cluster(self, name: str, event: Event) -> None:
        if event.cluster is None:
            self.clusters.pop(name, None)
            self.unread.discard(name)
        else:
            self.clusters[name] = event.cluster.connection
