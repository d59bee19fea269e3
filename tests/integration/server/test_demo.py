"""`rollgraph demo` as a process: three clusters that move, and nothing left behind."""

import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from demos import MAIN, demo, wait

QUERY = """
{ rollouts(first: 100) { totalCount partial nodes { clusterName name resourceVersion } }
  clusters { nodes { name kubernetesVersion connection { status } } } }
"""

pytestmark = [pytest.mark.looptime(False), pytest.mark.timeout(120)]


def gone(pid: int) -> bool:
    """True once a process has ended; a zombie has, too."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return True
    return state == "Z"


def test_three_clusters_move_and_ctrl_c_leaves_nothing() -> None:
    with demo("--rate", "120") as running:
        running.serving()
        assert "SIMULATED clusters" in running.said[0]

        def connected() -> bool:
            # Right after the start no cluster is known yet, and all of none are connected.
            clusters = running.ask(QUERY)["clusters"]["nodes"]
            return [item["connection"]["status"] for item in clusters] == ["CONNECTED"] * 3

        wait(connected, "all clusters are connected")
        first = running.ask(QUERY)
        names = [cluster["name"] for cluster in first["clusters"]["nodes"]]
        assert sorted(names) == ["eu-west", "staging", "us-east"]
        versions = {cluster["kubernetesVersion"] for cluster in first["clusters"]["nodes"]}
        assert versions == {"v1.34.0+simulated"}
        assert (first["rollouts"]["totalCount"], first["rollouts"]["partial"]) == (12, False)
        moved: set[str] = set()

        def all_moved() -> bool:
            for before, now in zip(
                first["rollouts"]["nodes"], running.ask(QUERY)["rollouts"]["nodes"], strict=True
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
