"""A small fleet in memory, and a way to ask the schema about it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from strawberry.types import ExecutionResult

import samples
from rollgraph.adapters.memory import MemoryMirror
from rollgraph.core.belongings import Belongings
from rollgraph.core.connection import ClusterView, ConnectionStatus, WatchView
from rollgraph.core.refs import Kind
from rollgraph.core.view import RolloutView, build_view
from rollgraph.schema.context import Context
from rollgraph.schema.limits.bounds import Limits
from rollgraph.schema.schema import Schema, build_schema

NOW = datetime(2026, 5, 12, 9, 2, tzinfo=UTC)
SCHEMA = build_schema()
# For questions that ask for more than anybody may.
BOUNDLESS = build_schema(
    Limits(tokens=10**6, depth=10**6, aliases=10**6, directives=10**6, cost=10**9)
)


class Frozen:
    """A clock that stands still."""

    def now(self) -> datetime:
        """`NOW`."""
        return NOW


@dataclass
class Fleet:
    """A mirror, and the surroundings of a request to it."""

    mirror: MemoryMirror
    context: Context
    schema: Schema = SCHEMA

    def run(self, document: str, **variables: object) -> ExecutionResult:
        """The whole answer, errors included."""
        result = self.schema.execute_sync(
            document, variable_values=variables, context_value=self.context
        )
        assert isinstance(result, ExecutionResult)
        return result

    def ask(self, document: str, **variables: object) -> dict[str, Any]:
        """The data of an answer without errors."""
        result = self.run(document, **variables)
        assert not result.errors, result.errors
        assert result.data is not None
        return result.data

    def error(self, document: str, **variables: object) -> tuple[str, str]:
        """The code and the message of an answer's only error."""
        errors = self.run(document, **variables).errors
        assert errors is not None
        assert len(errors) == 1
        return (errors[0].extensions or {})["code"], errors[0].message

    def put(self, view: RolloutView) -> RolloutView:
        """Adds a rollout."""
        self.mirror.put_rollout(view)
        return view


def fleet() -> Fleet:
    """An empty mirror."""
    mirror = MemoryMirror(Frozen())
    context = Context(mirror, NOW, patience=timedelta(seconds=10), request_id="req-1")
    return Fleet(mirror, context)


def cluster(name: str, *, seconds_ago: float = 1, **changes: Any) -> ClusterView:
    """A cluster that is watched well, unless the changes say otherwise."""
    watches = tuple(
        WatchView(kind, "", ConnectionStatus.CONNECTED, NOW, objects=3, synced=True)
        for kind in (Kind.ROLLOUT, Kind.REPLICA_SET, Kind.POD)
    )
    fields: dict[str, Any] = {
        "status": ConnectionStatus.CONNECTED,
        "since": NOW - timedelta(hours=1),
        "watches": watches,
        "confirmed_at": NOW - timedelta(seconds=seconds_ago),
        "kubernetes_version": "v1.34.4",
    }
    return ClusterView(name, **(fields | changes))


def disconnected(name: str) -> ClusterView:
    """A cluster that was read once and has been lost since."""
    watch = WatchView(Kind.ROLLOUT, "", ConnectionStatus.DISCONNECTED, NOW, synced=True)
    return cluster(
        name,
        seconds_ago=60,
        status=ConnectionStatus.DISCONNECTED,
        watches=(watch,),
        error="Rollout: connection refused",
    )


def view(
    sample: str, *, cluster: str = "east", name: str = "", patch: samples.Patch | None = None
) -> RolloutView:
    """The view of a sample rollout, under another name if one is given."""
    named = samples.merged({"metadata": {"name": name}} if name else {}, patch or {})
    return build_view(cluster, samples.rollout(sample, named), Belongings())
