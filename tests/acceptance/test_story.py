"""A release on each of two real spokes at once, seen over one WebSocket from the tag to Healthy."""

import json
import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from acceptance.gateway import Gateway
from acceptance.hand import Hand
from testbed.fleet import Fleet
from testbed.metrics import metrics_server
from testbed.scenarios.manifests import canary, pause, rollout, weight
from testbed.scenarios.stage import Stage

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.looptime(False),
    pytest.mark.timeout(300),
]

NAME = "rollouts-demo"
WATCH = """
subscription Watch($rollout: RolloutRefInput!) {
  stepProgress(rollout: $rollout) {
    kind
    cursor
    rollout { phase currentStepIndex }
    step { step { label } }
    split { desiredWeight actualWeight }
  }
}
"""
# As the getting-started guide of Argo Rollouts has it, with pauses of seconds.
STEPS = [
    weight(20),
    pause(),
    *(weight(40), pause(2)),
    *(weight(60), pause(2)),
    *(weight(80), pause(2)),
]


@pytest.fixture
def stages(fleet: Fleet) -> Iterator[list[Stage]]:
    """The same rollout on each spoke, Healthy."""
    with ExitStack() as stack:
        metrics = stack.enter_context(metrics_server())
        made = []
        for spoke in (fleet["east"], fleet["west"]):
            namespace = spoke.namespace(f"story-{secrets.token_hex(3)}")
            stack.callback(spoke.cluster().delete, "Namespace", namespace)
            made.append(Stage(spoke, namespace, NAME, metrics))
            made[-1].apply(rollout(NAME, canary(*STEPS), replicas=5))
        for stage in made:
            stage.wait_phase("Healthy")
        yield made


class Viewer:
    """Somebody with one WebSocket, and what it showed of each rollout, by the spoke's name."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self.events: dict[str, list[dict[str, Any]]] = {}
        self._say("connection_init")
        assert json.loads(socket.recv())["type"] == "connection_ack"

    def watch(self, stage: Stage) -> None:
        cluster = stage.spoke.name
        key = {"cluster": cluster, "namespace": stage.namespace, "name": NAME}
        self.events[cluster] = []
        payload = {"query": WATCH, "variables": {"rollout": {"key": key}}}
        self._say("subscribe", id=cluster, payload=payload)

    def until(self, condition: Callable[[dict[str, Any]], bool]) -> None:
        """Until it holds for the last event of each."""
        while not all(found and condition(found[-1]) for found in self.events.values()):
            message = json.loads(self._socket.recv(timeout=60))
            if message["type"] == "ping":
                self._say("pong")
                continue
            assert message["type"] == "next", message
            assert "errors" not in message["payload"], message
            event = message["payload"]["data"]["stepProgress"]
            self.events[message["id"]].append(event)

    def _say(self, type_: str, **rest: object) -> None:
        self._socket.send(json.dumps({"type": type_, **rest}))


def in_phase(phase: str) -> Callable[[dict[str, Any]], bool]:
    return lambda event: bool(event["rollout"]["phase"] == phase)


def test_from_a_new_tag_to_healthy(gateway: Gateway, stages: list[Stage]) -> None:
    url = gateway.url.replace("http:", "ws:") + "/graphql"
    protocol = Subprotocol("graphql-transport-ws")
    with connect(url, subprotocols=[protocol], proxy=None) as socket:
        viewer = Viewer(socket)
        for stage in stages:
            viewer.watch(stage)
        viewer.until(in_phase("HEALTHY"))
        for stage in stages:
            stage.set_image("yellow")
        viewer.until(
            lambda event: in_phase("PAUSED")(event) and event["split"]["actualWeight"] == 20
        )
        for events in viewer.events.values():
            assert events[-1]["step"]["step"]["label"] == "pause"
            assert events[-1]["split"] == {"desiredWeight": 20, "actualWeight": 20}  # 1 of 5 pods
        for stage in stages:
            Hand(gateway).act(stage, "promoteRollout")
        viewer.until(in_phase("HEALTHY"))
    for events in viewer.events.values():
        assert weights(events) == [20, 40, 60, 80]
        assert passed(events) == list(range(len(STEPS) + 1))
        assert len({event["cursor"] for event in events}) == len(events)


def weights(events: list[dict[str, Any]]) -> list[int]:
    """The weights that the new version really had at the pauses, in order."""
    paused = [event["split"] for event in events if event["rollout"]["phase"] == "PAUSED"]
    return list(dict.fromkeys(split["actualWeight"] for split in paused))


def passed(events: list[dict[str, Any]]) -> list[int]:
    """The steps that were current since the controller took up the tag, each while it lasted."""
    indexes = [event["rollout"]["currentStepIndex"] for event in events]
    began = indexes[indexes.index(0) :]
    return [index for n, index in enumerate(began) if n == 0 or index != began[n - 1]]
