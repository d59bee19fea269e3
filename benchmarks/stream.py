"""How long an event takes from a worker to who subscribes, beside passing the same bytes on.

    uv run python benchmarks/stream.py

One process, no sockets: a worker's publisher, the broker in memory, follower, fan-out and schema,
as `rollgraph serve` has them; a reader takes an answer as the transports do. Prints one JSON line
per figure, times in milliseconds.

`overhead`: one reader of one rollout, from the worker's word to the encoded answer.
`shared`: 1,000 readers of one rollout with one document, from the worker's word until the last has
its answer; `bare` is how long the very same bytes take to 1,000 tasks through the same queues.
`different`: 1,000 readers with filters of their own, 1,000 events a second for five seconds, each
of which concerns ten of them: from the worker's word to each answer.
"""

import json
import statistics
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from time import perf_counter
from typing import Any

import anyio

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import samples
from fakes.projection import until
from rollgraph.adapters.clock import SystemClock
from rollgraph.adapters.memory import MemoryBroker, MemoryMirror
from rollgraph.core.feed.entries import Position
from rollgraph.core.feed.news import News
from rollgraph.core.view import RolloutView, build_view
from rollgraph.feed.fanout import FanOut
from rollgraph.feed.follower import Follower
from rollgraph.feed.publisher import Publisher
from rollgraph.feed.subscription import Subscription
from rollgraph.schema.context import Context
from rollgraph.schema.fragments import FragmentCache
from rollgraph.schema.schema import build_schema

READERS = 1000
ROUNDS = 50
RATE, SECONDS = 1000, 5
# Of so many rollouts each reader of `different` asks for ten.
ROLLOUTS = 1000

ONE = """
subscription One($id: RolloutKeyInput!) {
  rolloutChanged(rollout: {key: $id}) {
    kind cursor occurredAt receivedAt clusterName
    ... on RolloutSnapshotEvent { rollout { ...R } }
    ... on RolloutUpdatedEvent { rollout { ...R } }
    ... on PhaseChangedEvent { from to rollout { ...R } }
  }
}
fragment R on Rollout {
  id name phase message steps { index label state } progress { percent waiting { message } }
  split { desiredWeight actualWeight slices { roles pods readyPods } }
}
"""
MANY = """
subscription Many($names: [String!]!) {
  rolloutEvents(filter: {name: {in: $names}}, includeInitial: false) {
    kind cursor
    ... on PhaseChangedEvent { from to rollout { id generation phase } }
    ... on RolloutUpdatedEvent { rollout { id generation phase } }
  }
}
"""


class Site:
    """A worker and a gateway in one process."""

    def __init__(self) -> None:
        self.clock = SystemClock()
        self.mirror = MemoryMirror(self.clock)
        self.fanout = FanOut(self.mirror, self.mirror)
        broker = MemoryBroker()
        self.worker = Publisher("east", broker, self.clock, Random(1))
        self.follower = Follower(broker, self.fanout)
        self.schema = build_schema()
        self._fragments = FragmentCache()

    async def stream(self, document: str, **variables: object) -> AsyncGenerator[Any, None]:
        """A subscription."""
        context = Context(
            self.mirror,
            self.clock.now(),
            timedelta(seconds=10),
            fragments=self._fragments,
            news=self.fanout,
            clock=self.clock,
        )
        found: Any = await self.schema.stream(document, variables, context)
        answers: AsyncGenerator[Any, None] = found
        return answers

    async def run(self, measure: Callable[["Site"], Awaitable[None]]) -> None:
        """Measures while worker and gateway run."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self.follower.run)
            tasks.start_soon(self.worker.run)
            await measure(self)
            tasks.cancel_scope.cancel()


def view(name: str, generation: int) -> RolloutView:
    """A canary at 20 percent with its pods and analyses, in turn in two phases."""
    phase = "Paused" if generation % 2 else "Progressing"
    patch: samples.Patch = {
        "metadata": {"name": name, "generation": generation, "uid": f"uid-{name}"},
        "status": {"phase": phase, "observedGeneration": str(generation)},
    }
    rollout, belongings = samples.family("canary-at-20-percent", patch)
    return build_view("east", rollout, belongings)


async def overhead(site: Site) -> None:
    """One reader."""
    site.worker.put_rollout(view("checkout", 0))
    took = []
    views = [view("checkout", number) for number in range(1, 501)]
    async with aclosing(await site.stream(ONE, id=place("checkout"))) as answers:
        await anext(answers)
        for each in views:
            began = perf_counter()
            site.worker.put_rollout(each)
            await anext(answers)
            took.append(perf_counter() - began)
    tell("overhead", took, p50_aim=5.0)


async def shared(site: Site) -> None:
    """1,000 readers of one rollout, and the same bytes by themselves."""
    site.worker.put_rollout(view("checkout", 0))
    round_ = Round()
    took, sizes = [], []
    views = [view("checkout", number) for number in range(1, ROUNDS + 1)]
    async with anyio.create_task_group() as tasks:
        for _ in range(READERS):
            tasks.start_soon(read, await site.stream(ONE, id=place("checkout")), round_)
        await round_.all_have_it()
        for each in views:
            began = perf_counter()
            site.worker.put_rollout(each)
            sizes.append(len(await round_.all_have_it()))
            took.append(perf_counter() - began)
        tasks.cancel_scope.cancel()
    tell("shared", took, bytes=sizes[-1])
    alone = await bare(b"x" * sizes[-1])
    tell("bare", alone)
    times = statistics.median(took) / statistics.median(alone)
    write({"figure": "shared over bare", "times": round(times, 2), "aim": 2.0})


class Round:
    """Counts who has got what was told last."""

    def __init__(self) -> None:
        self._have, self._done, self._got = 0, anyio.Event(), b""

    def got(self, what: bytes) -> None:
        """One more has it."""
        self._have, self._got = self._have + 1, what
        if self._have == READERS:
            self._done.set()

    async def all_have_it(self) -> bytes:
        """Waits for the last, and begins anew."""
        await self._done.wait()
        self._have, self._done = 0, anyio.Event()
        return self._got


async def read(answers: AsyncGenerator[Any, None], round_: Round) -> None:
    async with aclosing(answers):
        async for answer in answers:
            round_.got(answer.json)


async def bare(what: bytes) -> list[float]:
    """Passes bytes to 1,000 tasks through the queues that readers have."""
    round_, queues = Round(), [Subscription(lambda _: True) for _ in range(READERS)]
    now = datetime.fromisoformat("2026-01-01T00:00:00Z")
    news = News("east", None, Position("a", 1), now, None, None)

    async def take(queue: Subscription) -> None:
        async for _ in queue:
            round_.got(what)

    took = []
    async with anyio.create_task_group() as tasks:
        for queue in queues:
            tasks.start_soon(take, queue)
        for _ in range(ROUNDS):
            await anyio.sleep(0.01)
            began = perf_counter()
            for queue in queues:
                queue.offer(news)
            await round_.all_have_it()
            took.append(perf_counter() - began)
        tasks.cancel_scope.cancel()
    return took


async def different(site: Site) -> None:
    """1,000 readers with filters of their own."""
    names = [f"shop-{number}" for number in range(ROLLOUTS)]
    views = {name: [view(name, number) for number in range(2)] for name in names}
    for name in names:
        site.worker.put_rollout(views[name][0])
    await until(lambda: len([*site.mirror.matching(None)]) == ROLLOUTS)
    said: list[float] = []
    took: list[float] = []

    async def listen(number: int) -> None:
        mine = [names[(number * 10 + each) % ROLLOUTS] for each in range(10)]
        async with aclosing(await site.stream(MANY, names=mine)) as answers:
            async for answer in answers:
                assert answer.data is not None
                took.append(perf_counter())

    async with anyio.create_task_group() as tasks:
        for number in range(READERS):
            tasks.start_soon(listen, number)
        await anyio.sleep(1)
        began = perf_counter()
        for number in range(RATE * SECONDS):
            await anyio.sleep(max(0.0, began + number / RATE - perf_counter()))
            said.append(perf_counter())
            site.worker.put_rollout(views[names[number % ROLLOUTS]][(number // ROLLOUTS + 1) % 2])
        with anyio.move_on_after(10):
            await until(lambda: len(took) == len(said) * 10)
        tasks.cancel_scope.cancel()
    # Events are told in order, and each concerns ten readers: the n-th ten are those of the n-th.
    whole = said[: len(took) // 10]
    each = [max(took[at * 10 : at * 10 + 10]) - moment for at, moment in enumerate(whole)]
    tell("different", each, lost=len(said) * 10 - len(took), p99_aim=150.0)


def place(name: str) -> dict[str, str]:
    return {"cluster": "east", "namespace": "shop", "name": name}


def tell(figure: str, took: list[float], **more: object) -> None:
    """Prints how long something took, in milliseconds."""
    p50, p99 = statistics.median(took) * 1000, statistics.quantiles(took, n=100)[98] * 1000
    times = {"p50": round(p50, 2), "p99": round(p99, 2), "samples": len(took)}
    write({"figure": figure, **times, **more})


def write(line: dict[str, object]) -> None:
    """Prints a line."""
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Measures all."""
    for measure in (overhead, shared, different):
        anyio.run(Site().run, measure, backend_options={"use_uvloop": True})


if __name__ == "__main__":
    main()
