"""`python -m rollgraph.simulation FOLDER`: simulated clusters, for `rollgraph demo` and load tests.

Writes `kubeconfig.yaml` into the folder, prints a line of JSON when all can be asked, and ends when
its standard input does: so it never outlives who started it, however that one ends.
"""

import argparse
import json
import os
import signal
import sys
from pathlib import Path

import anyio
import anyio.to_thread
import structlog

from rollgraph.simulation.fleet import LOOPBACK, Plan, now, prepare, serving, write_kubeconfig


async def _run(plan: Plan, folder: Path, host: str, name: str) -> None:
    async with serving(prepare(plan, now()), host, name) as spokes:
        path = write_kubeconfig(folder / "kubeconfig.yaml", spokes)
        write_kubeconfig(folder / "kubeconfig-viewer.yaml", spokes, viewer=True)
        ready = {"kubeconfig": str(path), "clusters": {s.cluster.name: s.url for s in spokes}}
        print(json.dumps(ready), flush=True)  # noqa: T201 - the starter reads it
        await anyio.to_thread.run_sync(sys.stdin.buffer.read, abandon_on_cancel=True)


def main() -> int:
    """Runs until standard input ends."""
    parser = argparse.ArgumentParser(prog="python -m rollgraph.simulation", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--spokes", type=int, default=Plan.spokes)
    parser.add_argument("--rollouts", type=int, default=Plan.rollouts)
    parser.add_argument("--rate", type=float, default=Plan.rate)
    parser.add_argument("--seed", type=int, default=Plan.seed)
    # As of a container whose neighbours watch: they know it by its name.
    parser.add_argument("--host", default=LOOPBACK, help="the address to listen on")
    parser.add_argument("--name", help="what that is called in the kubeconfigs (default: HOST)")
    given = parser.parse_args()
    # A Ctrl-C in a terminal goes to the starter as well, which ends this process in its own time.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Standard output is the starter's.
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    plan = Plan(given.spokes, given.rollouts, given.rate, given.seed)
    name = given.name or given.host
    anyio.run(
        _run, plan, given.folder, given.host, name, backend_options={"use_uvloop": os.name != "nt"}
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
