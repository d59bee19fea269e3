"""How long an action takes through us, beside a bare PATCH on the same spoke.

    uv run python benchmarks/act.py            (needs a built testbed)

One real spoke. The pause of a rollout's step is ended, in turn by a mutation over HTTP and by one
PATCH of the status straight to the API server, one at a time with an idle half second before each.
A raw watch in the same process tells when the object shows it: the effect; the answer is when the
client has it. Prints one JSON line per figure, the medians in milliseconds; `aim` is the most that
we want. Argo CD, measured in the same way, adds 11 ms to the effect and 18 ms to the answer.
"""

import json
import ssl
import statistics
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx2

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from acceptance.gateway import Gateway
from testbed.cluster import path_of
from testbed.fleet import Fleet
from testbed.scenarios.manifests import canary, pause, rollout
from testbed.spoke import Spoke

NAMESPACE = "bench"
SAMPLES = 40
# Each sample ends one pause of one rollout.
PAUSES = 10
IDLE = 0.5
WITHIN = 5.0
AIM = 5.0

PROMOTE = """
mutation Promote($id: RolloutKeyInput!) {
  promoteRollout(input: {rollout: {key: $id}}) {
    applied stale resourceVersionAfter userErrors { message }
  }
}
"""


class Watch:
    """A raw watch of the rollouts; says when an object was seen in a version or a later one."""

    def __init__(self, spoke: Spoke) -> None:
        access = spoke.access()
        self._http = httpx2.Client(
            base_url=access.url,
            headers={"Authorization": f"Bearer {access.token}"},
            verify=ssl.create_default_context(cadata=access.ca),
            timeout=None,
        )
        self._seen: list[tuple[float, str, bool]] = []
        self._changed = threading.Condition()
        threading.Thread(target=self._run, daemon=True).start()

    def ended(self, name: str, since: float) -> float:
        """When a rollout was first seen without a pause after a time."""
        with self._changed:
            found: list[float] = []

            def seen() -> bool:
                mine = (item for item in self._seen if item[1] == name and item[0] > since)
                found[:] = [at for at, _, paused in mine if not paused]
                return bool(found)

            assert self._changed.wait_for(seen, WITHIN), f"{name} still pauses"
            return found[0]

    def _run(self) -> None:
        path = path_of("Rollout", NAMESPACE)
        # It ends when the spoke does.
        with (
            suppress(httpx2.TransportError),
            self._http.stream("GET", path, params={"watch": "true"}) as answer,
        ):
            for line in answer.iter_lines():
                at, event = time.perf_counter(), json.loads(line)
                found = event["object"]
                paused = bool(found.get("status", {}).get("pauseConditions"))
                with self._changed:
                    self._seen.append((at, found["metadata"]["name"], paused))
                    self._changed.notify_all()


def main() -> None:
    """Runs everything."""
    with Fleet(["east"]) as fleet, tempfile.TemporaryDirectory() as folder:
        spoke = fleet["east"]
        spoke.namespace(NAMESPACE)
        names = [f"act-{number}" for number in range(2 * SAMPLES // PAUSES)]
        make(spoke, names)
        with Gateway(fleet.kubeconfig, Path(folder), ("--log-level", "warning")) as ours:
            ours.wait_until_synced()
            watch = Watch(spoke)
            taken: dict[str, list[tuple[float, float]]] = {"ours": [], "bare": []}
            client = httpx2.Client(base_url=ours.url, timeout=30)
            for sample in range(2 * SAMPLES):
                name = names[sample % len(names)]
                wait_paused(spoke, name)
                time.sleep(IDLE)
                way = ("ours", "bare")[(sample // len(names) + sample) % 2]
                begun = time.perf_counter()
                act(client, name) if way == "ours" else patch(spoke, name)
                answered = time.perf_counter()
                effect = watch.ended(name, begun)
                taken[way].append(((effect - begun) * 1000, (answered - begun) * 1000))
            client.close()
    report(taken)


def make(spoke: Spoke, names: list[str]) -> None:
    """Rollouts whose second version pauses at each step."""
    admin = spoke.cluster()
    for name in names:
        made = rollout(name, canary(*[pause()] * (PAUSES + 2)), replicas=1)
        admin.apply({**made, "metadata": {**made["metadata"], "namespace": NAMESPACE}})
    for name in names:
        healthy = lambda found: found.get("status", {}).get("phase") == "Healthy"  # noqa: E731
        admin.wait_for("Rollout", name, healthy, NAMESPACE)
        template = {"metadata": {"annotations": {"version": "2"}}}
        admin.patch("Rollout", name, {"spec": {"template": template}}, NAMESPACE)


def wait_paused(spoke: Spoke, name: str) -> None:
    """Waits for the next pause."""

    def paused(found: dict[str, Any]) -> bool:
        return bool(found["status"].get("pauseConditions"))

    spoke.cluster().wait_for("Rollout", name, paused, NAMESPACE)


def act(client: httpx2.Client, name: str) -> None:
    """The action, through us."""
    key = {"cluster": "east", "namespace": NAMESPACE, "name": name}
    answer = client.post("/graphql", json={"query": PROMOTE, "variables": {"id": key}})
    found = answer.json()["data"]["promoteRollout"]
    assert (found["applied"], found["stale"]) == (True, False), found


def patch(spoke: Spoke, name: str) -> None:
    """The same change, without us."""
    change = {"status": {"pauseConditions": None}}
    spoke.cluster().patch("Rollout", name, change, NAMESPACE, sub="status")


def report(taken: dict[str, list[tuple[float, float]]]) -> None:
    """Prints the figures."""
    for place, what in enumerate(("effect", "answer")):
        ours, bare = (sorted(pair[place] for pair in taken[way]) for way in ("ours", "bare"))
        line = {
            "figure": f"promote, {what}",
            "unit": "ms",
            "value": round(statistics.median(ours), 2),
            "p90": round(ours[int(len(ours) * 0.9)], 2),
            "against": "a bare PATCH of the status",
            "other": round(statistics.median(bare), 2),
            "other_p90": round(bare[int(len(bare) * 0.9)], 2),
            "added": round(statistics.median(ours) - statistics.median(bare), 2),
            "aim": AIM,
            "samples": len(ours),
        }
        sys.stdout.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()
