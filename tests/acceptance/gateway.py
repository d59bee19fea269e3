"""Rollgraph as its users run it: the process `rollgraph serve`, asked over HTTP."""

import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import httpx2

from testbed.deadline import wait_until
from testbed.ports import free_port
from testbed.process import Process

ROLLGRAPH = Path(sys.executable).with_name("rollgraph")
_RSS = re.compile(r"^VmRSS:\s+(\d+) kB$", re.MULTILINE)


class Gateway:
    """A running `rollgraph serve`; it ends with the `with` block.

    Args:
        kubeconfig: The clusters that it watches.
        folder: Where its log goes.
        flags: Further flags.
        command: `serve`, or `gateway` for one that watches nothing.
        name: What its log is called.
    """

    def __init__(
        self,
        kubeconfig: Path,
        folder: Path,
        flags: Sequence[str] = (),
        command: str = "serve",
        name: str = "rollgraph",
    ) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        argv = [
            str(ROLLGRAPH),
            command,
            "--kubeconfig",
            str(kubeconfig),
            "--port",
            str(port),
            *flags,
        ]
        self.process = Process(name, argv, folder / f"{name}.log")
        self._client = httpx2.Client(base_url=self.url, timeout=30)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()
        self.process.stop()

    def start(self) -> None:
        """Starts it, also after it was killed, and waits until it is ready."""
        self.process.start(self._not_ready)

    def ask(self, document: str, **variables: object) -> dict[str, Any]:
        """The data of an answer; an answer with errors fails the test."""
        answer = self._client.post("/graphql", json={"query": document, "variables": variables})
        body: dict[str, Any] = json.loads(answer.content)
        assert "errors" not in body, body["errors"]
        data: dict[str, Any] = body["data"]
        return data

    def memory(self) -> int:
        """The process's resident memory in bytes."""
        found = _RSS.search(Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii"))
        assert found is not None
        return int(found.group(1)) * 1024

    def wait_until_synced(self, seconds: float = 60) -> None:
        """Waits until every cluster has been read."""

        def check() -> str | None:
            clusters = self.ask("{ clusters { nodes { name connection { status lastError } } } }")
            late = [
                cluster
                for cluster in clusters["clusters"]["nodes"]
                if cluster["connection"]["status"] != "CONNECTED"
            ]
            return f"not connected: {late}" if late else None

        wait_until(check, seconds=seconds, what="all clusters are connected")

    def _not_ready(self) -> str | None:
        try:
            answer = self._client.get("/readyz")
        except httpx2.TransportError as error:
            return str(error)
        return None if answer.status_code == 200 else answer.text
