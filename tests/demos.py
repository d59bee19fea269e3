"""A running `rollgraph demo`, as its users start it."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2

MAIN = "import sys; from rollgraph.server.cli import main; sys.exit(main())"


class Demo:
    """A demo, and what it says until it serves.

    Attributes:
        url: Where its GraphQL is, once it serves.
    """

    def __init__(self, popen: "subprocess.Popen[str]") -> None:
        self.popen = popen
        self.said: list[str] = []
        self.url = ""

    def serving(self) -> None:
        """Waits until it can be asked."""
        assert self.popen.stderr is not None
        for line in self.popen.stderr:
            self.said.append(line)
            if "serving" in line:
                self.url = line.partition("graphql=['")[2].partition("'")[0]
                return
        raise AssertionError(f"it ended: {self.said}")

    def ask(self, query: str, **variables: object) -> dict[str, Any]:
        """The data of its answer, which has no errors."""
        body = {"query": query, "variables": variables}
        answer = httpx2.post(self.url, json=body, trust_env=False).json()
        assert "errors" not in answer, answer
        data: dict[str, Any] = answer["data"]
        return data

    @property
    def children(self) -> list[int]:
        """The processes that it has started."""
        tasks = Path(f"/proc/{self.popen.pid}/task").glob("*/children")
        return [int(pid) for task in tasks for pid in task.read_text().split()]


@contextmanager
def demo(*flags: str) -> Iterator[Demo]:
    """Starts one on a free port; it is killed in the end."""
    with subprocess.Popen(
        [sys.executable, "-c", MAIN, "demo", "--port", "0", *flags],
        stderr=subprocess.PIPE,
        text=True,
    ) as popen:
        try:
            yield Demo(popen)
        finally:
            popen.kill()


def wait(condition: Callable[[], object], what: str, seconds: float = 60) -> None:
    """Waits until a condition holds; fails with `what` was waited for."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.05)
