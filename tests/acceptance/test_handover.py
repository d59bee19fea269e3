"""A worker that takes a spoke over goes on where the one before had come, on real spokes.

Rollouts walk from pause to pause while their worker is ended, also in between, when nobody watches
them. Who subscribes at a gateway hears of every state that the spoke's own watch delivered, and
the spoke is not asked for a list.
"""

from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import pytest

from acceptance.company import Worker
from acceptance.gateway import Gateway
from acceptance.healthy import healthy
from acceptance.hearing import Heard, over_websocket
from acceptance.rawwatch import Place, RawWatch, Seen, State, watched
from contract.servers import RedisServer
from testbed.cluster import Object
from testbed.deadline import wait_until
from testbed.fleet import Fleet
from testbed.scenarios.manifests import pause, weight
from testbed.scenarios.stage import Stage, settle
from testbed.users import READER

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.looptime(False),
    pytest.mark.timeout(240),
]

NAMES = ["canary-0", "canary-1"]
STEPS = [step for n in range(1, 4) for step in (weight(20 * n), pause(), pause())]
PAUSES = [index for index, step in enumerate(STEPS) if "pause" in step]
# Seconds from SIGTERM to the first watch of whoever takes over, and from SIGKILL.
GRACEFUL, LAPSED = 2.0, 15.0
# How a worker finds out which Argo Rollouts runs there.
VERSION = "deployments?labelSelector=app.kubernetes.io/name%3Dargo-rollouts&"
EVENTS = """
subscription Events($namespace: String!) {
  rolloutEvents(filter: {namespace: {eq: $namespace}}) {
    kind cursor clusterName
    ... on RolloutSnapshotEvent { rollout { ...State } }
    ... on RolloutUpdatedEvent { rollout { ...State } }
    ... on PhaseChangedEvent { rollout { ...State } }
    ... on StepChangedEvent { rollout { ...State } }
    ... on WeightChangedEvent { rollout { ...State } }
    ... on PodsChangedEvent { rollout { ...State } }
  }
}
fragment State on Rollout { name phase message currentStepIndex }
"""


@dataclass
class Firm:
    """Two workers, who may read what Rollgraph needs and no more, and a gateway."""

    fleet: Fleet
    workers: list[Worker]
    gateway: Gateway

    def wait_until_shared(self) -> None:
        """Waits until each worker watches a spoke."""

        def check() -> str | None:
            found = [worker.watched for worker in self.workers]
            return None if sorted(map(len, found)) == [1, 1] else f"watched: {found}"

        wait_until(check, seconds=20, what="each worker has a spoke")

    def asked(self, since: datetime) -> list[Object]:
        """The requests for collections that workers have begun since then, oldest first."""
        return [
            event
            for spoke in self.fleet.spokes.values()
            for event in spoke.audit()
            if event["user"]["username"] == READER
            and event["verb"] in ("list", "watch")
            and event["stage"] in ("ResponseStarted", "ResponseComplete")
            and moment(event) > since
        ]


@pytest.fixture(scope="module")
def firm(fleet: Fleet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firm]:
    folder: Path = tmp_path_factory.mktemp("handover")
    redis = RedisServer(folder)
    with ExitStack() as stack:
        redis.start()
        stack.callback(redis.stop)
        flags = ("--redis", redis.url)
        kubeconfig = fleet.kubeconfig_of(READER)
        workers = [Worker(name, kubeconfig, folder, *flags) for name in ("ann", "bob")]
        for worker in workers:
            stack.callback(worker.close)
            worker.start()
        gateway = stack.enter_context(Gateway(fleet.kubeconfig, folder, flags, "gateway", "one"))
        gateway.wait_until_synced()
        made = Firm(fleet, workers, gateway)
        made.wait_until_shared()
        yield made


@pytest.fixture
def stages(fleet: Fleet) -> Iterator[list[Stage]]:
    """Rollouts on each spoke, Healthy."""
    with healthy(fleet, "handover", NAMES, STEPS) as made:
        yield made


@dataclass
class Audience:
    """Who hears what the spokes themselves say, and who hears it from the gateway."""

    raw: list[RawWatch]
    heard: Heard

    async def wait_until_told(self) -> None:
        """Returns once the last state has been told."""

        def check() -> str | None:
            return None if last(self.heard.seen()) == last(self.delivered()) else "not yet"

        await anyio.to_thread.run_sync(
            partial(wait_until, check, seconds=30, what="the last state has been told")
        )

    def delivered(self) -> list[Seen]:
        """What the spokes' own watches have delivered."""
        return [seen for watch in self.raw for seen in watch.seen()]


@asynccontextmanager
async def listening(firm: Firm, namespace: str) -> AsyncIterator[Audience]:
    async with AsyncExitStack() as stack:
        raw = [
            await stack.enter_async_context(watched(spoke, namespace))
            for spoke in firm.fleet.spokes.values()
        ]
        question = (EVENTS, {"namespace": namespace})
        heard = await stack.enter_async_context(over_websocket(firm.gateway.url, all=question))
        made = Audience(raw, heard["all"])
        await made.wait_until_told()
        yield made


def release(stages: list[Stage]) -> None:
    """Takes all from one tag to the next, whoever watches."""
    for stage in stages:
        stage.set_image("yellow")
    for index in PAUSES:
        for stage in stages:
            stage.wait_step(index)
        for stage in stages:
            stage.plugin("promote")
    for stage in stages:
        stage.wait_phase("Healthy")
    settle(*stages)


def hand_over(firm: Firm, end: str) -> datetime:
    """Ends a worker, waits until the other has all, and lets it come back; when it was ended."""
    ann, bob = firm.workers
    ended = datetime.now(UTC)
    getattr(ann.process, end)()
    wait_until(lambda: has_all(bob), seconds=LAPSED, what="the other has taken over")
    ann.start()
    firm.wait_until_shared()
    return ended


@pytest.mark.parametrize("end", ["stop", "kill"])
async def test_every_state_is_told_once_and_nothing_is_listed(
    firm: Firm, stages: list[Stage], end: str
) -> None:
    began = datetime.now(UTC)
    async with listening(firm, stages[0].namespace) as audience:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(anyio.to_thread.run_sync, release, stages)
            # Amid the release, which goes on.
            await anyio.to_thread.run_sync(stages[-1].wait_step, PAUSES[0])
            ended = await anyio.to_thread.run_sync(hand_over, firm, end)
        await audience.wait_until_told()
        told, delivered = passed(audience.heard.seen()), passed(audience.delivered())
    assert told == delivered
    assert all(len(states) > len(STEPS) for states in delivered.values())
    cursors = [event["cursor"] for _, event in audience.heard.events]
    assert len(set(cursors)) == len(cursors), "something was told twice"
    wait_until(
        lambda: None if firm.asked(ended) else "nothing yet", seconds=5, what="the audit is written"
    )
    asked = firm.asked(began)
    assert [event["requestURI"] for event in asked if lists(event)] == []
    took = min(moment(event) for event in firm.asked(ended)) - ended
    assert took.total_seconds() < (GRACEFUL if end == "stop" else LAPSED)


def passed(seen: Iterable[Seen]) -> dict[Place, list[State]]:
    """The states that each rollout passed through."""
    found: dict[Place, list[State]] = {}
    for each in seen:
        states = found.setdefault(each.place, [])
        if states[-1:] != [each.state]:
            states.append(each.state)
    return found


def last(seen: Iterable[Seen]) -> dict[Place, State]:
    return {each.place: each.state for each in seen}


def lists(event: dict[str, Any]) -> bool:
    """Whether a request reads all there is, and not the controller's version alone."""
    uri = event["requestURI"]
    return (event["verb"] == "list" and VERSION not in uri) or "sendInitialEvents" in uri


def moment(event: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(event["requestReceivedTimestamp"])


def has_all(worker: Worker) -> str | None:
    return None if worker.watched == ["east", "west"] else f"it watches {worker.watched}"
