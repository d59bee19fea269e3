"""What pages, counts and changes cost in a fleet of 10,000 rollouts.

    uv run python benchmarks/paging.py

Prints one JSON line per figure. `aim` is what we want at most, in the figure's unit; `against` says
what a program without indexes would do, measured in the same run; `ratio` is the figure divided by
that, so it means the same on any machine. Times are those of the CPU, the best of
several rounds.
"""

import itertools
import json
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import orjson

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from factories import NOON, rollout_view
from rollgraph.adapters.memory import MemoryMirror
from rollgraph.core import filtering
from rollgraph.core.filtering import RolloutFilter, StringFilter
from rollgraph.core.paging import Order, OrderField, PageRequest
from rollgraph.core.phase import Phase
from rollgraph.core.view import RolloutView
from rollgraph.schema.context import Context
from rollgraph.schema.fragments import FragmentCache
from rollgraph.schema.schema import Schema, build_schema

CLUSTERS, NAMESPACES, NAMES = 20, 50, 10
PHASES = tuple(Phase)
NEWEST = (Order(OrderField.UPDATED_AT, descending=True),)
URGENT = (Order(OrderField.PHASE),)
ORDERS = ((), NEWEST, URGENT)
IMAGES = RolloutFilter(
    image=StringFilter(matches="ghcr.io/*/app-[1-3]:*"), phase=(Phase.HEALTHY, Phase.PAUSED)
)
PLAIN_SORT = "sort all that match, then slice"


class SystemClock:
    """A `ports.Clock`."""

    def now(self) -> datetime:
        return datetime.now(UTC)


def views() -> list[RolloutView]:
    places = itertools.product(range(CLUSTERS), range(NAMESPACES), range(NAMES))
    return [
        rollout_view(
            f"cluster-{c:02}/team-{n:02}/app-{a}",
            phase=PHASES[(c + n + a) % 3],
            images=(f"ghcr.io/acme/app-{a}:1.{n}.{c}", "docker.io/envoyproxy/envoy:v1.31"),
            labels={"app": f"app-{a}", "team": f"team-{n:02}", "tier": "web" if a % 2 else "job"},
            updated_at=NOON + timedelta(seconds=(c * 7919 + n * 104729 + a * 15485863) % 86400),
        )
        for c, n, a in places
    ]


def moved(view: RolloutView, seconds: int) -> RolloutView:
    """The same rollout, written later."""
    return rollout_view(
        str(view.ref),
        phase=PHASES[seconds % 3],
        updated_at=view.updated_at + timedelta(seconds=1 + seconds),
    )


def best(work: Callable[[], object], rounds: int = 20) -> float:
    """Seconds of the fastest round."""
    times = []
    for _ in range(rounds):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


def sorted_slice(fleet: list[RolloutView], wanted: RolloutFilter | None, start: int) -> None:
    test = filtering.predicate(wanted)
    chosen = sorted(
        (view for view in fleet if test(view)), key=lambda v: (v.updated_at, v.ref), reverse=True
    )
    chosen[start : start + 50]


def matching(test: filtering.Predicate, fleet: list[RolloutView]) -> int:
    return sum(map(test, fleet))


def report(figure: str, value: float, unit: str, aim: float, against: str, baseline: float) -> None:
    line = {
        "figure": figure,
        "value": round(value, 3),
        "unit": unit,
        "aim": aim,
        "against": against,
        "ratio": round(value / baseline, 5),
    }
    print(json.dumps(line))  # noqa: T201 - a benchmark prints


def pages(mirror: MemoryMirror, fleet: list[RolloutView]) -> None:
    middle = mirror.page(PageRequest(order=NEWEST, first=5000)).cursors[-1]
    cases = {
        "page of 50 from the middle, no filter": (None, middle, 0.2),
        "page of 50 from the start, image glob and phase": (IMAGES, None, 0.5),
        "page of 50 from the middle, image glob and phase": (IMAGES, middle, 0.5),
        "page, filter that lets none pass": (RolloutFilter(name=StringFilter(eq="x")), None, 4),
    }
    for figure, (wanted, after, aim) in cases.items():
        request = PageRequest(filter=wanted, order=NEWEST, first=50, after=after)
        value = best(partial(mirror.page, request))
        plain = best(partial(sorted_slice, fleet, wanted, 5000), rounds=5)
        report(figure, value * 1e3, "ms", aim, PLAIN_SORT, plain * 1e3)
    one = RolloutFilter(cluster=StringFilter(eq="cluster-13"))
    value = best(lambda: mirror.page(PageRequest(filter=one, order=NEWEST, first=50)))
    plain = best(lambda: sorted_slice(fleet, one, 0), rounds=5)
    report(
        "page of 50 of one cluster, newest first", value * 1e3, "ms", 0.2, PLAIN_SORT, plain * 1e3
    )


ROWS = """
query Page($after: String) {
  rollouts(first: 50, after: $after, orderBy: [{field: UPDATED_AT, direction: DESC}]) {
    nodes {
      id clusterName namespace name phase message strategyKind currentStepIndex updatedAt
      progress { percent } replicas { desired ready } split { desiredWeight actualWeight }
      images { image } aborted
    }
    pageInfo { hasNextPage endCursor }
  }
}
"""


def walks(mirror: MemoryMirror) -> None:
    """Two walks over all pages by GraphQL, to JSON: nothing is kept on the first one."""
    schema, fragments = build_schema(), FragmentCache()
    kept = _walk(schema, mirror, None)
    for name, cache in (("nothing kept yet", fragments), ("kept", fragments)):
        times = _walk(schema, mirror, cache)
        value, plain = statistics.median(times) * 1e3, statistics.median(kept) * 1e3
        report(f"page of 50 x 14 by GraphQL, p50, {name}", value, "ms", 10, "Strawberry", plain)


def _walk(schema: Schema, mirror: MemoryMirror, kept: FragmentCache | None) -> list[float]:
    times, after = [], None
    while True:
        context = Context(mirror, datetime.now(UTC), timedelta(seconds=10), fragments=kept)
        start = time.process_time()
        result = schema.execute_sync(ROWS, {"after": after}, context_value=context)
        body = orjson.dumps(result.data)
        times.append(time.process_time() - start)
        info = orjson.loads(body)["rollouts"]["pageInfo"]
        if not info["hasNextPage"]:
            return times
        after = info["endCursor"]


def scans(fleet: list[RolloutView]) -> None:
    filters = {
        "phase": RolloutFilter(phase=(Phase.DEGRADED,)),
        "namespace prefix": RolloutFilter(namespace=StringFilter(starts_with="team-1")),
        "label selector": RolloutFilter(label_selector="tier=web,team in (team-01,team-02)"),
        "image glob": RolloutFilter(image=StringFilter(matches="ghcr.io/*/app-[1-3]:*")),
        "image contains": RolloutFilter(image=StringFilter(contains="app-3:")),
    }
    loop = best(lambda: [view for view in fleet if view.phase is Phase.DEGRADED])
    for name, wanted in filters.items():
        test = filtering.predicate(wanted)
        value = best(partial(matching, test, fleet))
        report(f"scan by {name}", value * 1e3, "ms", 4, "a bare loop over one phase", loop * 1e3)


def changes(mirror: MemoryMirror, fleet: list[RolloutView]) -> None:
    plain = best(lambda: sorted(fleet, key=lambda v: (v.updated_at, v.ref)), rounds=3)
    later = [moved(view, n) for n, view in enumerate(fleet)]
    for orders in (0, 3):
        for order in ORDERS[:orders]:
            mirror.page(PageRequest(order=order, first=50))
        for kind, ahead in (("in place", fleet), ("moved", later), ("moved", fleet)):
            spent = best(partial(put, mirror, ahead), rounds=1) / len(fleet)
            figure = f"put_rollout, {kind}, {orders} orders in use"
            report(figure, spent * 1e6, "us", 20, "sort all", plain * 1e6)


def put(mirror: MemoryMirror, views: list[RolloutView]) -> None:
    for view in views:
        mirror.put_rollout(view)


def main() -> None:
    fleet = views()
    mirror = MemoryMirror(SystemClock())
    put(mirror, fleet)
    changes(mirror, fleet)
    start = time.process_time()
    mirror.page(PageRequest(order=(Order(OrderField.NAME), *NEWEST), first=50))
    first = time.process_time() - start
    plain = best(lambda: sorted_slice(fleet, None, 0), rounds=3)
    report("first page in a new order", first * 1e3, "ms", 50, PLAIN_SORT, plain * 1e3)
    pages(mirror, fleet)
    walks(mirror)
    scans(fleet)


if __name__ == "__main__":
    main()
