"""Viewers with tokens, who subscribe once and hear how that ends."""

import json
import threading
from types import TracebackType
from typing import Any, Self

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from acceptance.gateway import Gateway
from acceptance.subscribers import PROTOCOL

WATCH = """
subscription Watch($namespace: String!) {
  rolloutEvents(filter: {namespace: {eq: $namespace}}) {
    kind
    ... on RolloutSnapshotEvent { rollout { name } }
    ... on RolloutDeletedEvent { name }
  }
}
"""


class Guest:
    """One, on a WebSocket of its own, until that is closed or the ``with`` block ends.

    Args:
        gateway: Who is asked.
        token: Who asks.
        namespace: Where the rollouts are.

    Attributes:
        kinds: What it was told, in order.
        errors: The codes of the errors that ended the subscription.
        code: With which the connection was closed by the gateway; None while it is open.
    """

    def __init__(self, gateway: Gateway, token: str, namespace: str) -> None:
        self.kinds: list[str] = []
        self.errors: list[str] = []
        self.code: int | None = None
        url = gateway.url.replace("http:", "ws:") + "/graphql"
        self._connecting = connect(url, subprotocols=[PROTOCOL], proxy=None, ping_interval=None)
        self._token = token
        self._namespace = namespace
        self._thread = threading.Thread(target=self._listen, name="guest")

    def __enter__(self) -> Self:
        self._socket = self._connecting.__enter__()
        self._say("connection_init", payload={"authorization": f"Bearer {self._token}"})
        assert json.loads(self._socket.recv(timeout=30))["type"] == "connection_ack"
        question = {"query": WATCH, "variables": {"namespace": self._namespace}}
        self._say("subscribe", id="1", payload=question)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._connecting.__exit__(kind, error, traceback)
        self._thread.join()

    def _say(self, type_: str, **rest: Any) -> None:
        self._socket.send(json.dumps({"type": type_, **rest}))

    def _listen(self) -> None:
        try:
            for text in self._socket:
                message = json.loads(text)
                match message["type"]:
                    case "ping":
                        self._say("pong")
                    case "next":
                        self.kinds.append(message["payload"]["data"]["rolloutEvents"]["kind"])
                    case "error":
                        self.errors += [each["extensions"]["code"] for each in message["payload"]]
                    case other:
                        raise AssertionError(other)
        except ConnectionClosed:
            pass  # by us, or with a code of the protocol
        self.code = self._socket.close_code
