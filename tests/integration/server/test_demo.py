"""`rollgraph demo` as a process: three clusters that move, and nothing left behind."""

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

MAIN = "import sys; from rollgraph.server.cli import main; sys.exit(main())"
QUERY = """
{ rollouts(first: 100) { totalCount partial nodes { clusterName name resourceVersion } }
  clusters { nodes { name kubernetesVersion connection { status } } } }
"""

pytestmark = [pytest.mark.looptime(False), pytest.mark.timeout(120)]


class Demo:
    """A running demo, and what it says until it serves."""

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

    def ask(self) -> dict[str, Any]:
        """Its answer to the query."""
        answer = httpx2.post(self.url, json={"query": QUERY}, trust_env=False)
        data: dict[str, Any] = json.loads(answer.content)["data"]
        return data

    @property
    def children(self) -> list[int]:
        """The processes that it has started."""
        tasks = Path(f"/proc/{self.popen.pid}/task").glob("*/children")
        return [int(pid) for task in tasks for pid in task.read_text().split()]


@contextmanager
def demo(*flags: str) -> Iterator[Demo]:
    with subprocess.Popen(
        [sys.executable, "-c", MAIN, "demo", "--port", "0", *flags],
        stderr=subprocess.PIPE,
        text=True,
    ) as popen:
        try:
            yield Demo(popen)
        finally:
            popen.kill()


def gone(pid: int) -> bool:
    """True once a process has ended; a zombie has, too."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return True
    return state == "Z"


def wait(condition: Any, what: str, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.05)


def test_three_clusters_move_and_ctrl_c_leaves_nothing() -> None:
    with demo("--rate", "120") as running:
        running.serving()
        assert "SIMULATED clusters" in running.said[0]

        def connected() -> bool:
            # Right after the start no cluster is known yet, and all of none are connected.
            clusters = running.ask()["clusters"]["nodes"]
            return [item["connection"]["status"] for item in clusters] == ["CONNECTED"] * 3

        wait(connected, "all clusters are connected")
        first = running.ask()
        names = [cluster["name"] for cluster in first["clusters"]["nodes"]]
        assert sorted(names) == ["eu-west", "staging", "us-east"]
        versions = {cluster["kubernetesVersion"] for cluster in first["clusters"]["nodes"]}
        assert versions == {"v1.34.0+simulated"}
        assert (first["rollouts"]["totalCount"], first["rollouts"]["partial"]) == (12, False)
        moved: set[str] = set()

        def all_moved() -> bool:
            for before, now in zip(
                first["rollouts"]["nodes"], running.ask()["rollouts"]["nodes"], strict=True
            ):
                if before["resourceVersion"] != now["resourceVersion"]:
                    moved.add(now["clusterName"])
            return moved == set(names)

        wait(all_moved, "all clusters move")
        (child,) = running.children
        running.popen.send_signal(signal.SIGINT)
        assert running.popen.wait(20) == 0
        assert gone(child)


def test_a_killed_demo_leaves_no_process() -> None:
    with demo("--spokes", "1", "--rollouts", "1") as running:
        running.serving()
        (child,) = running.children
        running.popen.kill()
        running.popen.wait()
        wait(lambda: gone(child), "the simulation ends by itself", 20)


def test_a_taken_port_is_said_and_nothing_is_left() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [sys.executable, "-c", MAIN, "demo", "--port", port, "--rollouts", "1"],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    assert done.returncode == 1
    assert f"port {port} of 127.0.0.1 is in use" in done.stderr


@pytest.mark.parametrize(
    ("flags", "complaint"),
    [
        (["--spokes", "0"], "expected 1 or more; got 0"),
        (["--rate", "-1"], "expected a number of 0 or more; got -1"),
        (["--rollouts", "many"], "invalid"),
    ],
)
def test_numbers_that_make_no_sense_are_refused(flags: list[str], complaint: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", MAIN, "demo", *flags], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert complaint in done.stderr
