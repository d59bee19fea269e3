"""Twenty subscribers of two gateways, who come back with their cursor whenever they are cut off."""

import itertools
import json
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import httpx2
from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from acceptance.story import Facts, Matches, Place, State, Story
from testbed.background import Background
from testbed.deadline import wait_until
from testbed.spoke import Spoke

PROTOCOL = Subprotocol("graphql-transport-ws")
# Seconds between two signs of life that gateways are asked for, and without one until a subscriber
# takes its connection for dead.
HEARTBEAT, SILENCE = 1.0, 5.0
# Seconds between two attempts to connect, and within which a gateway has to take one.
AGAIN, CONNECT_WITHIN = 0.3, 3.0

ROLLOUT = "rollout { name uid resourceVersion phase }"
FOLLOW = f"""
subscription Follow($filter: RolloutFilter, $interval: Duration, $after: String) {{
  rolloutEvents(filter: $filter, minInterval: $interval, resumeAfter: $after) {{
    kind cursor clusterName
    ... on RolloutSnapshotEvent {{ {ROLLOUT} }}
    ... on RolloutUpdatedEvent {{ {ROLLOUT} }}
    ... on PhaseChangedEvent {{ {ROLLOUT} }}
    ... on StepChangedEvent {{ {ROLLOUT} }}
    ... on WeightChangedEvent {{ {ROLLOUT} }}
    ... on PodsChangedEvent {{ {ROLLOUT} }}
    ... on AnalysisRunChangedEvent {{ {ROLLOUT} }}
    ... on RolloutDeletedEvent {{ name }}
    ... on ResyncEvent {{ reason }}
  }}
}}
"""


@dataclass(frozen=True)
class Wish:
    """What somebody subscribes to.

    Attributes:
        filter: As it is asked for, beside the namespace.
        matches: The same, asked of a rollout.
        interval: The shortest time between two events of a rollout, as GraphQL has it.
    """

    filter: dict[str, Any] = field(default_factory=dict)
    matches: Matches = lambda place, state: True
    interval: str | None = None


WISHES = (
    Wish(),
    Wish({"cluster": {"eq": "east"}}, lambda place, _: place[0] == "east"),
    Wish({"cluster": {"eq": "west"}}, lambda place, _: place[0] == "west"),
    Wish({"name": {"eq": "app-0001"}}, lambda place, _: place[1] == "app-0001"),
    Wish({"phase": ["HEALTHY"]}, lambda _, state: state.phase == "HEALTHY"),
    Wish({"phase": ["PROGRESSING", "PAUSED"]}, lambda _, s: s.phase in ("PROGRESSING", "PAUSED")),
    Wish({"not": {"phase": ["PAUSED"]}}, lambda _, state: state.phase != "PAUSED"),
    Wish(interval="PT1S"),
)
NUMBER = 20


class CutOffError(Exception):
    """The connection has ended, or nothing comes over it."""


class Subscriber(Background):
    """One, in a thread of its own; it goes round the doors until one lets it in.

    Args:
        name: What it is called.
        doors: URLs of gateways.
        namespace: Where the rollouts are.
        wish: Which of them.
        websocket: Whether it comes by WebSocket, or for server-sent events.
    """

    def __init__(
        self, name: str, doors: Sequence[str], namespace: str, wish: Wish, *, websocket: bool
    ) -> None:
        super().__init__(name)
        self.name = name
        self.story = Story(wish.matches, wish.interval is not None)
        self.lock = threading.Lock()
        self.connections = 0
        self._doors = itertools.cycle(doors)
        self._asked = {
            "filter": {**wish.filter, "namespace": {"eq": namespace}},
            "interval": wish.interval,
        }
        self._listen = self._over_websocket if websocket else self._over_events

    def _work(self) -> None:
        while not self._ending.is_set():
            try:
                self._follow(next(self._doors))
            except (CutOffError, httpx2.TransportError, WebSocketException, OSError):
                self._ending.wait(AGAIN)

    def _follow(self, door: str) -> None:
        question = {"query": FOLLOW, "variables": {**self._asked, "after": self.story.cursor}}
        first = True
        for answer in self._listen(door, question):
            assert "errors" not in answer, f"{self.name}: {answer}"
            with self.lock:
                self.connections += first
                self.story.hear(answer["data"]["rolloutEvents"])
            first = False

    def _over_websocket(self, door: str, question: dict[str, Any]) -> Iterator[dict[str, Any]]:
        url = door.replace("http:", "ws:") + "/graphql"
        with connect(
            url,
            subprotocols=[PROTOCOL],
            proxy=None,
            open_timeout=CONNECT_WITHIN,
            close_timeout=0.5,
            ping_interval=None,
        ) as socket:
            socket.send('{"type": "connection_init"}')
            for message in self._messages(socket):
                match message["type"]:
                    case "connection_ack":
                        subscribe = {"type": "subscribe", "id": "1", "payload": question}
                        socket.send(json.dumps(subscribe))
                    case "ping":
                        socket.send('{"type": "pong"}')
                    case "next":
                        yield message["payload"]
                    case "error":
                        yield {"errors": message["payload"]}
                    case "complete":
                        raise CutOffError("the stream has ended")
                    case other:
                        raise AssertionError(f"{self.name}: {other}")

    def _messages(self, socket: ClientConnection) -> Iterator[dict[str, Any]]:
        heard = time.monotonic()
        while not self._ending.is_set():
            try:
                text = socket.recv(timeout=HEARTBEAT / 2)
            except TimeoutError as error:
                if time.monotonic() - heard > SILENCE:
                    raise CutOffError("it has been silent for too long") from error
                continue
            heard = time.monotonic()
            yield json.loads(text)

    def _over_events(self, door: str, question: dict[str, Any]) -> Iterator[dict[str, Any]]:
        timeout = httpx2.Timeout(SILENCE, connect=CONNECT_WITHIN)
        accept = {"Accept": "text/event-stream"}
        with (
            httpx2.Client(timeout=timeout, trust_env=False) as client,
            client.stream("POST", f"{door}/graphql", json=question, headers=accept) as answer,
        ):
            if answer.status_code == 503:
                raise CutOffError("the gateway stops, or is full")
            assert answer.status_code == 200, answer.read()
            for line in answer.iter_lines():
                if self._ending.is_set():
                    return
                if line.startswith("data: {"):
                    yield json.loads(line.removeprefix("data: "))
        raise CutOffError("the stream has ended")


class Crowd:
    """All of them; they end with the ``with`` block.

    Args:
        doors: URLs of gateways; each subscriber begins at another one.
        namespace: Where the rollouts are.
    """

    def __init__(self, doors: Sequence[str], namespace: str) -> None:
        self._namespace = namespace
        self.members = [
            Subscriber(
                f"subscriber-{number}",
                [*doors[number % len(doors) :], *doors[: number % len(doors)]],
                namespace,
                WISHES[number % len(WISHES)],
                websocket=number // 2 % 2 == 0,
            )
            for number in range(NUMBER)
        ]

    def __enter__(self) -> Self:
        for member in self.members:
            member.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for member in self.members:
            member.stop()

    def wait_until_told(self, spokes: Sequence[Spoke], seconds: float) -> None:
        """Waits until each knows exactly what the spokes list of what it has asked for."""

        def check() -> str | None:
            listed = dict(item for spoke in spokes for item in _listed(spoke, self._namespace))
            for member in self.members:
                with member.lock:
                    known = dict(member.story.known)
                wanted = {p: s for p, s in listed.items() if member.story.matches(p, s)}
                if known != wanted:
                    differ = sorted(wanted.items() ^ known.items())
                    return f"{member.name} differs by {differ[:4]}"
            return None

        wait_until(check, seconds=seconds, what="all subscribers know what the spokes list")

    def judge(self, facts: Facts) -> None:
        """Fails if an event was told twice, backwards, or not at all."""
        for member in self.members:
            with member.lock:
                story = member.story
                faults = [*story.faults, *story.missing(facts)]
                assert not faults, f"{member.name}: {len(faults)} faults: {faults[:5]}"
                story.forget()

    @property
    def events(self) -> int:
        """How many were told."""
        return sum(member.story.events for member in self.members)

    def summary(self) -> str:
        """What they have gone through, in a line."""
        connections = sum(member.connections for member in self.members)
        resyncs = sum(member.story.resyncs for member in self.members)
        return f"{self.events} events over {connections} connections, begun anew {resyncs} times"


def _listed(spoke: Spoke, namespace: str) -> Iterator[tuple[Place, State]]:
    for item in spoke.cluster().list("Rollout", namespace):
        metadata, phase = item["metadata"], item.get("status", {}).get("phase", "")
        version = int(metadata["resourceVersion"])
        yield (spoke.name, metadata["name"]), State(metadata["uid"], version, phase.upper())
