"""`python -m simulated.bare FOLDER`: one simulated cluster for tests, with nothing in it.

As on the testbed, pods run at once if they name a node and never otherwise, and metrics are asked
of the web server that they name.
"""

import json
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread

from rollgraph.simulation.cluster import Cluster
from rollgraph.simulation.fleet import serving, write_kubeconfig
from rollgraph.simulation.node import AT_ONCE

NAME = "simulated"
# Changes of a kind that can be watched from again: few, so that a test can let them be forgotten.
HISTORY = 300


def measure(_: dict[str, Any], metric: dict[str, Any]) -> float | None:
    """Asks the metric's web provider."""
    try:
        with urllib.request.urlopen(metric["provider"]["web"]["url"], timeout=5) as answer:
            return float(json.load(answer)["value"])
    except urllib.error.HTTPError:
        return None


async def _run(folder: Path) -> None:
    cluster = Cluster(NAME, 1, pace=AT_ONCE, measure=measure, history=HISTORY)
    async with serving([(cluster, {})]) as spokes:
        write_kubeconfig(folder / "kubeconfig.yaml", spokes)
        (spoke,) = spokes
        print(json.dumps([spoke.url, spoke.token, spoke.viewer]), flush=True)  # noqa: T201
        await anyio.to_thread.run_sync(sys.stdin.buffer.read, abandon_on_cancel=True)


if __name__ == "__main__":
    anyio.run(_run, Path(sys.argv[1]))
