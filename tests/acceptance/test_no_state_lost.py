"""Every phase and step that an API server's watch delivers arrives at whoever subscribes.

A hundred pauses are ended on real spokes, whose pods start at once: what a rollout passes through
until its next pause lasts some 90 ms, on a machine with nothing else to do. Beside each spoke's own
watch Rollgraph is subscribed to in each way, where it is one process and where its workers and
gateways meet on Redis.
"""

import statistics
from collections.abc import Callable, Iterable, Iterator
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeAlias

import anyio
import anyio.to_thread
import pytest

from acceptance.company import Worker
from acceptance.gateway import Gateway
from acceptance.hand import Hand
from acceptance.healthy import healthy
from acceptance.hearing import Heard, over_events, over_websocket, place_of
from acceptance.rawwatch import Place, Seen, State, watched
from contract.servers import RedisServer
from testbed.deadline import wait_until
from testbed.fleet import Fleet
from testbed.scenarios.manifests import pause, weight
from testbed.scenarios.stage import Stage, settle

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.looptime(False),
    pytest.mark.timeout(300),
]

NAMES = [f"canary-{number}" for number in range(5)]
# From one pause straight to the next takes the controller a moment, with pods in between longer.
STEPS = [step for n in range(1, 6) for step in (weight(20 * n), pause(), pause())]
PAUSES = [index for index, step in enumerate(STEPS) if "pause" in step]
# Seconds until what the spokes show has been told; it takes some milliseconds.
ARRIVES = 30.0

Passed: TypeAlias = dict[Place, list[Seen]]

STATE = "kind cursor clusterName"
ROLLOUT = "rollout { name phase message currentStepIndex }"
EVENTS = f"""
subscription Events($namespace: String!) {{
  rolloutEvents(filter: {{namespace: {{eq: $namespace}}}}) {{
    {STATE}
    ... on RolloutSnapshotEvent {{ {ROLLOUT} }}
    ... on RolloutUpdatedEvent {{ {ROLLOUT} }}
    ... on PhaseChangedEvent {{ from to {ROLLOUT} }}
    ... on StepChangedEvent {{ fromIndex toIndex {ROLLOUT} }}
    ... on WeightChangedEvent {{ {ROLLOUT} }}
    ... on PodsChangedEvent {{ {ROLLOUT} }}
  }}
}}
"""
PROGRESS = f"""
subscription Progress($rollout: RolloutRefInput!) {{
  stepProgress(rollout: $rollout) {{ {STATE} {ROLLOUT} }}
}}
"""


@dataclass
class Subscribed:
    """One gateway's subscribers.

    Attributes:
        events: What they hear of all rollouts, by the way in which they do.
        progress: What they hear of each rollout by itself.
    """

    events: dict[str, Heard]
    progress: list[Heard]


@pytest.fixture(scope="module")
def far_gateway(fleet: Fleet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway that learns by Redis what a worker has seen."""
    folder: Path = tmp_path_factory.mktemp("far")
    redis = RedisServer(folder)
    with ExitStack() as stack:
        redis.start()
        stack.callback(redis.stop)
        flags = ("--redis", redis.url)
        worker = Worker("ann", fleet.kubeconfig, folder, *flags)
        stack.callback(worker.close)
        worker.start()
        gateway = Gateway(fleet.kubeconfig, folder, flags, "gateway", "far")
        with gateway as running:
            running.wait_until_synced()
            yield running


@pytest.fixture
def stages(fleet: Fleet) -> Iterator[list[Stage]]:
    """The rollouts, Healthy: five on each spoke."""
    with healthy(fleet, "lossless", NAMES, STEPS) as made:
        yield made


@pytest.fixture
def namespace(stages: list[Stage]) -> str:
    """Their namespace, on each spoke."""
    return stages[0].namespace


async def test_every_phase_and_step_arrives_in_order_and_once(
    fleet: Fleet,
    namespace: str,
    stages: list[Stage],
    gateway: Gateway,
    far_gateway: Gateway,
    capsys: pytest.CaptureFixture[str],
) -> None:
    async with AsyncExitStack() as stack:
        raw = [
            await stack.enter_async_context(watched(spoke, namespace))
            for spoke in fleet.spokes.values()
        ]
        subscribed = {
            "in one process": await subscribe(stack, gateway, stages),
            "through Redis": await subscribe(stack, far_gateway, stages),
        }
        resumes = await release(stages, Hand(gateway))
        delivered = passed(seen for watch in raw for seen in watch.seen())
        for each in subscribed.values():
            await arrived(each, delivered)
    assert len(resumed(delivered)) == resumes == 100
    lines = [compared(how, each, delivered) for how, each in subscribed.items()]
    shortest = 1000 * min(resumed(delivered))
    lines.append(f"Progressing lasted for {tenths(resumed(delivered))}, once for {shortest:.0f} ms")
    with capsys.disabled():
        print("", *lines, sep="\n")  # noqa: T201


def compared(how: str, subscribed: Subscribed, delivered: Passed) -> str:
    """Compares what was heard with what was delivered, and says what there was to compare."""
    for heard in subscribed.progress:
        compare(heard, delivered)
    for heard in subscribed.events.values():
        compare(heard, delivered)
        assert told(heard, "from", "to") == changes(delivered, "phase")
        assert told(heard, "fromIndex", "toIndex") == changes(delivered, "step")
    late = (
        f"{way} {tenths(lateness(passed(heard.seen()), delivered))}"
        for way, heard in subscribed.events.items()
    )
    count = sum(len(states) - 1 for states in delivered.values())
    return f"{how}: all {count} states; behind the watch by (p50/p90) {', '.join(late)}"


async def subscribe(stack: AsyncExitStack, gateway: Gateway, stages: list[Stage]) -> Subscribed:
    """Subscribes to all in each way, and to each by itself."""
    of_all = (EVENTS, {"namespace": stages[0].namespace})
    of_each = {
        f"{stage.spoke.name}-{stage.rollout}": (PROGRESS, {"rollout": {"key": key_of(stage)}})
        for stage in stages
    }
    socket = await stack.enter_async_context(over_websocket(gateway.url, all=of_all, **of_each))
    events = await stack.enter_async_context(over_events(gateway.url, *of_all))
    made = {"WebSocket": socket["all"], "server-sent events": events}
    await until(
        lambda: all(len(heard.seen()) >= len(stages) for heard in made.values()),
        "all of the state has been told",
    )
    return Subscribed(made, [socket[name] for name in of_each])


async def release(stages: list[Stage], hand: Hand) -> int:
    """Takes all from one tag to the next, and returns how many pauses were ended."""
    await each(stages, lambda stage: stage.set_image("yellow"))
    for index in PAUSES:
        await each(stages, lambda stage: stage.wait_step(index))  # noqa: B023
        await each(stages, lambda stage: hand.act(stage, "promoteRollout"))
    await each(stages, lambda stage: stage.wait_phase("Healthy"))
    await anyio.to_thread.run_sync(settle, *stages)
    return len(PAUSES) * len(stages)


async def each(stages: list[Stage], act: Callable[[Stage], object]) -> None:
    """Does the same with all at once."""
    async with anyio.create_task_group() as tasks:
        for stage in stages:
            tasks.start_soon(anyio.to_thread.run_sync, act, stage)


async def arrived(subscribed: Subscribed, delivered: Passed) -> None:
    """Until the last state has been told everywhere."""

    def all_told() -> bool:
        last = {place: states[-1].state for place, states in delivered.items()}
        found = [newest(heard) for heard in subscribed.events.values()]
        one_by_one: dict[Place, State] = {}
        for heard in subscribed.progress:
            one_by_one |= newest(heard)
        return all(now == last for now in (*found, one_by_one))

    await until(all_told, "the last state has been told")


async def until(condition: Callable[[], bool], what: str) -> None:
    """Waits for what the subscribers hear."""

    def check() -> str | None:
        return None if condition() else "not yet"

    await anyio.to_thread.run_sync(partial(wait_until, check, seconds=ARRIVES, what=what))


def newest(heard: Heard) -> dict[Place, State]:
    """The last state of each rollout that somebody has heard of."""
    return {seen.place: seen.state for seen in heard.seen()}


def passed(seen: Iterable[Seen]) -> Passed:
    """The states that each rollout passed through, each when it was seen first."""
    found: Passed = {}
    for each in seen:
        states = found.setdefault(each.place, [])
        if not states or states[-1].state != each.state:
            states.append(each)
    return found


def compare(heard: Heard, delivered: Passed) -> None:
    """Whoever heard it has heard of every state, in order, and of nothing twice."""
    found = passed(heard.seen())
    for place, states in found.items():
        assert [each.state for each in states] == [each.state for each in delivered[place]]
    cursors = [event["cursor"] for _, event in heard.events]
    assert len(set(cursors)) == len(cursors)


def told(heard: Heard, *names: str) -> dict[Place, list[tuple[Any, ...]]]:
    """From what to what something has changed, as events of one kind say."""
    found: dict[Place, list[tuple[Any, ...]]] = {}
    for _, event in heard.events:
        if names[0] in event:
            change = tuple(event[name] for name in names)
            found.setdefault(place_of(event), []).append(change)
    return found


def changes(delivered: Passed, what: str) -> dict[Place, list[tuple[Any, ...]]]:
    """From what to what something has changed."""
    found = {}
    for place, states in delivered.items():
        values = [getattr(each.state, what) for each in states]
        found[place] = [(was, now) for was, now in pairwise(values) if was != now]
    return found


def resumed(delivered: Passed) -> list[float]:
    """Seconds from the end of each pause until the next, or until all was done."""
    found = []
    for states in delivered.values():
        since = None
        for was, now in pairwise(states):
            if was.state.phase == "PAUSED" and now.state.phase == "PROGRESSING":
                since = now.at
            elif since is not None and now.state.phase != "PROGRESSING":
                found.append(now.at - since)
                since = None
    return found


def lateness(found: Passed, delivered: Passed) -> list[float]:
    """How many seconds after the watch itself each state was told."""
    return [
        heard.at - seen.at
        for place, states in delivered.items()
        for heard, seen in zip(found[place][1:], states[1:], strict=True)
    ]


def tenths(seconds: list[float]) -> str:
    """The fifth and the ninth in ten of them."""
    found = statistics.quantiles(seconds, n=10)
    return f"{1000 * found[4]:.0f}/{1000 * found[8]:.0f} ms"


def key_of(stage: Stage) -> dict[str, str]:
    return {"cluster": stage.spoke.name, "namespace": stage.namespace, "name": stage.rollout}
