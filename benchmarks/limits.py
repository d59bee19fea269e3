"""How fast what asks for too much is refused, and what the most costly of what is allowed takes.

    uv run python benchmarks/limits.py

Prints one JSON line per figure. `aim` is what we want at most, in the figure's unit; `against` says
what the same request costs a schema with strawberry's own limiters (depth 12, 30 aliases), or none
where they would run for minutes, measured in the same run; `ratio` is the figure divided by that.
Times are those of the CPU, the best of several rounds, each with a new document: nothing is kept.
"""

import itertools
import json
import logging
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from graphql import parse, validate
from strawberry import federation
from strawberry.extensions import MaxAliasesLimiter, MaxTokensLimiter, QueryDepthLimiter
from strawberry.schema.config import StrawberryConfig

import samples
from factories import NOON, rollout_view
from rollgraph.adapters.memory import MemoryMirror
from rollgraph.core.view import build_view
from rollgraph.schema.query import Query
from rollgraph.schema.scalars import SCALARS
from rollgraph.schema.schema import build_schema
from rollgraph.schema.types.gateway import FEDERATION_VERSION
from rollgraph.schema.types.steps import STEP_TYPES
from unit.schema import asking
from unit.schema.test_limits import DEEP_LADDER, FLAT_LADDER, NESTED_INTROSPECTION, aliases

# Strawberry writes every refusal into the log.
logging.disable()

ROUNDS = 20
STOCK = "strawberry's limiters of tokens, depth and aliases"
RULES = "GraphQL's rules alone"
REPEATED = "{ rollouts { nodes {" + "cluster { name } " * 400 + "} } }"
# Each wildcard behind a star fits nearly everywhere.
SLOW = "*" + "[!A-Z]" * 20 + "*Z"
WHOLE = """
  id clusterName namespace name uid createdAt updatedAt phase message aborted paused generation
  images { container image } conditions { type status reason message } steps { index label state }
  replicas { desired ready available updated } progress { percent waiting { message human until } }
  split { desiredWeight actualWeight slices { roles weight pods readyPods } } freshness { lag }
  revisions { nodes { number roles replicaSet { name replicas { ready } } } }
"""
numbers = itertools.count()


def stock() -> Any:
    """The same schema with the limiters that strawberry brings."""
    return federation.Schema(
        Query,
        types=list(STEP_TYPES.values()),
        federation_version=FEDERATION_VERSION,
        config=StrawberryConfig(scalar_map=SCALARS),
        extensions=[
            lambda: MaxTokensLimiter(2000),
            lambda: QueryDepthLimiter(12),
            lambda: MaxAliasesLimiter(30),
        ],
    )


def best(work: Callable[[str], object], document: str, rounds: int = ROUNDS) -> float:
    """Milliseconds of the fastest round, each with a document that nobody has seen before."""
    times = []
    for _ in range(rounds):
        fresh = f"{document}#{next(numbers)}"
        start = time.process_time()
        work(fresh)
        times.append(time.process_time() - start)
    return min(times) * 1000


def report(figure: str, value: float, aim: float, against: str, baseline: float) -> None:
    line = {
        "figure": figure,
        "value": round(value, 3),
        "unit": "ms",
        "aim": aim,
        "against": against,
        "ratio": round(value / baseline, 5),
    }
    print(json.dumps(line))  # noqa: T201 - a benchmark prints


def refusals(ours: Any, theirs: Any, made: asking.Fleet) -> None:
    """Refused by us; refused or answered by the other."""

    def refuse(document: str) -> None:
        result = ours.execute_sync(document, context_value=made.context)
        assert result.data is None

    def ask(document: str) -> None:
        theirs.execute_sync(document, context_value=made.context)

    def rules(document: str) -> None:
        validate(theirs._schema, parse(document))

    cases = {
        "a ladder of 20 fragments": (FLAT_LADDER, ask, STOCK, 10),
        # The other's walk of this one doubles with every fragment.
        "a ladder of 20 fragments, 60 deep": (DEEP_LADDER, rules, RULES, 10),
        "1,000 aliases": ("{" + aliases(1000) + "}", ask, STOCK, 10),
        # Nearly 2,000 tokens: parsing them is what takes the time.
        "600 aliases": ("{" + aliases(600) + "}", ask, STOCK, 15),
        "nested introspection": (NESTED_INTROSPECTION, ask, STOCK, 10),
        "an object asked for 400 times": (REPEATED, rules, RULES, 15),
    }
    for figure, (document, other, against, aim) in cases.items():
        value = best(refuse, document)
        report(f"refusing {figure}", value, aim, against, best(other, document, rounds=2))


def allowed(ours: Any) -> None:
    """What costs nearly 5,000 in a fleet of 10,000 rollouts, against a page of 50."""
    made = asking.fleet()
    for c in range(10):
        made.mirror.put_cluster(asking.cluster(f"c{c}"))
    fill(made.mirror)

    def answer(document: str) -> None:
        result = ours.execute_sync(document, context_value=made.context)
        assert not result.errors, result.errors

    page = best(answer, "{ rollouts { nodes { namespace name phase } } }")
    zeros = 'filter: {image: {contains: "zzz"}, labelSelector: "app=zzz"}'
    cases = {
        "20 lists that nothing matches, counted": " ".join(
            f"a{n}: rollouts({zeros}) {{ totalCount partial }}" for n in range(20)
        ),
        "20 summaries": " ".join(
            f"a{n}: rolloutSummary(groupBy: [CLUSTER, NAMESPACE]) {{ count }}" for n in range(20)
        ),
        "75 whole rollouts": f"rollouts(first: 75) {{ nodes {{ {WHOLE} }} }}",
        "8 globs full of wildcards": "rollouts(filter: {or: ["
        + " ".join(f'{{image: {{matches: "{SLOW}{n}"}}}}' for n in range(8))
        + "]}) { totalCount }",
    }
    for figure, fields in cases.items():
        value = best(answer, f"{{ {fields} }}", rounds=3)
        report(f"answering {figure}", value, 500, "a page of 50 with 3 fields", page)


def fill(mirror: MemoryMirror) -> None:
    """10,000 rollouts in 10 clusters; the first 100 have all that belongs to a canary."""
    for n in range(100):
        named = {"metadata": {"name": f"web-{n}", "namespace": "a"}}
        mirror.put_rollout(build_view("c0", *samples.family("canary-at-20-percent", named)))
    for c, n, a in itertools.product(range(10), range(100), range(10)):
        place = f"c{c}/team-{n:02}/app-{a}"
        image = f"registry.example.com/acme/checkout-service/app-{a}:1.4.2-{n}"
        view = rollout_view(place, labels={"app": f"app-{a}"}, images=(image,), updated_at=NOON)
        mirror.put_rollout(view)


def main() -> None:
    ours, theirs, made = build_schema(), stock(), asking.fleet()
    refusals(ours, theirs, made)
    allowed(ours)


if __name__ == "__main__":
    main()
