"""`rollgraph demo`: the server on top of clusters that do not exist."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from rollgraph.server import serve
from rollgraph.server.settings import Settings
from rollgraph.simulation.fleet import Plan

# Seconds that the simulation gets to end after its standard input has.
STOP_WITHIN = 5.0


class SimulationError(Exception):
    """The simulated clusters did not start; they have said why on standard error."""


def run(settings: Settings, plan: Plan, say: Callable[[str], None]) -> int:
    """Serves simulated clusters until told to stop; the process's exit status.

    They live in a process of their own, so that they take no time from the server, which is not
    to look slower than it is; and it is watched over HTTP and a kubeconfig like real ones.

    Args:
        say: Told, line by line, what is about to be served.

    Raises `SimulationError`, and what `serve.run` raises.
    """
    with TemporaryDirectory(prefix="rollgraph-demo-") as folder, _simulation(plan, folder) as made:
        kubeconfig = Path(made["kubeconfig"])
        clusters = ", ".join(made["clusters"])
        say(f"SIMULATED clusters, which exist in memory only: {clusters}")
        say(f"{plan.rollouts} rollouts of an invented company, {plan.rate:g} new versions a minute")
        say(f"act on them too: kubectl argo rollouts --kubeconfig {kubeconfig} ...")
        spokes = settings.spokes.model_copy(update={"kubeconfig": (kubeconfig,)})
        return serve.run(settings.model_copy(update={"spokes": spokes}))


@contextmanager
def _simulation(plan: Plan, folder: str) -> Iterator[dict[str, str]]:
    """Runs the clusters; what they say of themselves once they can be asked."""
    arguments = {
        "--spokes": plan.spokes,
        "--rollouts": plan.rollouts,
        "--rate": plan.rate,
        "--seed": plan.seed,
    }
    words = [word for name, value in arguments.items() for word in (name, str(value))]
    # It ends when its standard input does: even if this process is killed, nothing is left.
    with subprocess.Popen(
        [sys.executable, "-m", "rollgraph.simulation", folder, *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            ready = child.stdout.readline()
            if not ready:
                raise SimulationError("the simulated clusters did not start")
            yield json.loads(ready)
        finally:
            child.stdin.close()
            try:
                child.wait(STOP_WITHIN)
            except subprocess.TimeoutExpired:
                child.kill()
