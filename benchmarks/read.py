"""How fast lists and single rollouts are read, beside the peers and the limits of the machine.

    uv run python benchmarks/read.py            (needs Linux, root, wrk and a built testbed)

One real spoke with 300 rollouts. In one run and under the same load: the Argo Rollouts dashboard's
list, ours, ours with nothing kept (`plain`: Strawberry as it is), and ready bytes of the same size
from the same server; quiet, and with 50 changes a second on the spoke. Prints one JSON line per
figure: `aim` is what we want at least, in the figure's unit or as the ratio, `against` what it is
measured against, `ratio` the figure divided by that.

The dashboard listens on all interfaces, so everything runs in a network namespace of its own.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from acceptance.gateway import Gateway
from testbed.fleet import Fleet
from testbed.ports import free_port
from testbed.process import Process
from testbed.scenarios import Churn, apply_many

NAMESPACE = "bench"
ROLLOUTS = 300
CHANGES_PER_SECOND = 50.0
CONNECTIONS = 8
SECONDS = 8
INSIDE = "ROLLGRAPH_BENCH_INSIDE"

FIELDS = """
  id clusterName namespace name phase message strategyKind currentStepIndex updatedAt
  progress { percent } replicas { desired ready } split { desiredWeight actualWeight }
  images { image } aborted
"""
ONE = """
  name phase message currentStepIndex steps { index label state }
  progress { percent waiting { reason message human } } split { desiredWeight actualWeight }
  revisions { nodes { number replicaSet { name roles pods { nodes { name reason } } } } }
"""


def main() -> None:
    """Runs everything."""
    with Fleet(["east"]) as fleet, tempfile.TemporaryDirectory() as name:
        folder, spoke = Path(name), fleet["east"]
        sys.stderr.write(f"making {ROLLOUTS} rollouts\n")
        names = apply_many(spoke, ROLLOUTS, NAMESPACE)
        # The peers write no line per request either, and let one caller ask as much as they can.
        quiet = ("--log-level", "warning", "--rate-points", "0")
        with (
            Gateway(fleet.kubeconfig, folder, quiet) as ours,
            plain(fleet.kubeconfig, folder) as bare,
        ):
            ours.wait_until_synced()
            list_of_all = whole_list(ours)
            size = len(answer(ours.url, list_of_all))
            with dashboard(fleet, folder) as theirs, ready(size, folder) as bytes_url:
                for churning in (False, True):
                    churn = Churn(spoke.cluster(), names, NAMESPACE, per_second=CHANGES_PER_SECOND)
                    with churn if churning else nullcontext():
                        compare(ours.url, bare, theirs, bytes_url, list_of_all, folder, churning)
            singles(ours.url, names[0], folder)


def compare(
    ours: str,
    bare: str,
    theirs: str,
    bytes_url: str,
    body: str,
    folder: Path,
    churning: bool,
) -> None:
    """The list of 300, quiet or under churn."""
    when = f"with {CHANGES_PER_SECOND:.0f} changes/s" if churning else "quiet"
    us = load(f"{ours}/graphql", folder, body)
    dash, strawberry = load(theirs, folder), load(f"{bare}/graphql", folder, body)
    bytes_ = load(bytes_url, folder, body)
    title = f"list of {ROLLOUTS}, 14 fields, {when}"
    figure(title, us, 100, "Argo Rollouts dashboard", dash)
    figure(title, us, None, "plain Strawberry", strawberry)
    figure(title, us, None if churning else 0.3, "ready bytes of the same size", bytes_)


def singles(url: str, name: str, folder: Path) -> None:
    """What a portal asks most."""
    hundred = json.dumps({"query": f"{{ rollouts(first: 100) {{ nodes {{ {FIELDS} }} }} }}"})
    place = f'cluster: "east", namespace: "{NAMESPACE}", name: "{name}"'
    one = json.dumps({"query": f"{{ rollout({place}) {{ {ONE} }} }}"})
    figure("list of 100, 14 fields, quiet", load(f"{url}/graphql", folder, hundred), 2000, "", None)
    figure("one rollout with steps and pods", load(f"{url}/graphql", folder, one), 3000, "", None)


def figure(name: str, value: float, aim: float | None, against: str, other: float | None) -> None:
    """Prints one figure; the aim is a ratio where there is something to compare with."""
    line = {
        "figure": name,
        "value": round(value, 1),
        "unit": "requests/s",
        "aim": aim,
        "against": f"{against}: {other:.1f}" if other is not None else None,
        "ratio": round(value / other, 2) if other else None,
    }
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def whole_list(gateway: Gateway) -> str:
    """One request for all: pages have 200 rollouts at most, so it asks for two."""
    start = gateway.ask("{ rollouts(first: 200) { pageInfo { endCursor } } }")
    cursor = start["rollouts"]["pageInfo"]["endCursor"]
    pages = (
        f'a: rollouts(first: 200) {{ ...F }} b: rollouts(first: 100, after: "{cursor}") {{ ...F }}'
    )
    fragment = f"fragment F on RolloutConnection {{ nodes {{ {FIELDS} }} }}"
    return json.dumps({"query": f"{{ {pages} }} {fragment}"})


def answer(url: str, body: str) -> bytes:
    """One answer, which has to be whole."""
    command = ["curl", "-sS", "-H", "content-type: application/json", "-d", body, f"{url}/graphql"]
    found = subprocess.run(command, check=True, capture_output=True).stdout
    data: dict[str, Any] = json.loads(found)
    assert "errors" not in data, data["errors"]
    assert sum(len(page["nodes"]) for page in data["data"].values()) == ROLLOUTS
    return found


def load(url: str, folder: Path, body: str | None = None) -> float:
    """Requests per second that a server answers with 2xx."""
    script = folder / "post.lua"
    lines = (
        []
        if body is None
        else [
            'wrk.method = "POST"',
            'wrk.headers["Content-Type"] = "application/json"',
            f"wrk.body = [==[{body}]==]",
        ]
    )
    script.write_text("\n".join(lines))
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "-s", str(script), url]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert "Non-2xx" not in said, said
    found = re.search(r"Requests/sec:\s+([\d.]+)", said)
    assert found is not None, said
    return float(found.group(1))


@contextmanager
def plain(kubeconfig: Path, folder: Path) -> Iterator[str]:
    """The same server with nothing kept; its address."""
    with served(folder, "plain", ["plain", str(kubeconfig)], "/readyz") as url:
        yield url


@contextmanager
def ready(size: int, folder: Path) -> Iterator[str]:
    """A server that has only to send bytes; its address."""
    with served(folder, "bytes", ["bytes", str(size)], "/") as url:
        yield f"{url}/"


@contextmanager
def served(folder: Path, name: str, arguments: list[str], probe: str) -> Iterator[str]:
    port = free_port()
    peer = str(Path(__file__).with_name("peers.py"))
    process = Process(name, [sys.executable, peer, str(port), *arguments], folder / f"{name}.log")
    process.start(lambda: reachable(f"http://127.0.0.1:{port}{probe}"))
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.stop()


@contextmanager
def dashboard(fleet: Fleet, folder: Path) -> Iterator[str]:
    """The Argo Rollouts dashboard; the address of its list."""
    port = free_port()
    program = fleet.built.program("kubectl-argo-rollouts")
    command = [program, "dashboard", "--port", str(port), "--kubeconfig", fleet.kubeconfig]
    process = Process("dashboard", command, folder / "dashboard.log")
    url = f"http://127.0.0.1:{port}/rollouts/api/v1/rollouts/{NAMESPACE}/info"
    process.start(lambda: reachable(url))
    try:
        yield url
    finally:
        process.stop()


def reachable(url: str) -> str | None:
    """A readiness check."""
    done = subprocess.run(["curl", "-sSf", "-o", "/dev/null", url], capture_output=True, text=True)
    return None if done.returncode == 0 else done.stderr


def isolate() -> None:
    """Starts this program again in a network namespace of its own, where only loopback is."""
    if shutil.which("wrk") is None:
        sys.exit("wrk is missing: apt-get install wrk")
    command = 'ip link set lo up && exec "$0" "$@"'
    arguments = ["unshare", "--net", "sh", "-c", command, sys.executable, __file__]
    os.execvpe("unshare", arguments, {**os.environ, INSIDE: "yes"})


if __name__ == "__main__":
    if INSIDE not in os.environ:
        isolate()
    main()
