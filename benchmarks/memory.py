"""How much memory a rollout takes: the inventory of its spoke and its view in the mirror.

    uv run python benchmarks/memory.py

10,000 rollouts with a ReplicaSet and two pods each, made of objects that a real spoke listed.
Prints one JSON line per figure: `aim` is what we want at most, `against` the same objects as the
dicts that a JSON parser makes, in the same process, `ratio` the figure divided by that.
"""

import gc
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from rollgraph.adapters.clock import SystemClock
from rollgraph.adapters.memory import MemoryMirror
from rollgraph.core.objects.decode import kube_object
from rollgraph.core.objects.rollout import Rollout
from rollgraph.core.refs import Kind
from rollgraph.core.view import build_view
from rollgraph.spokes.inventory import Inventory
from rollgraph.spokes.store import Delivery
from testbed.record import recordings

ROLLOUTS = 10_000
PODS = 2
KIB = 1024


def main() -> None:
    """Measures both."""
    documents = template()
    start = resident()
    kept = fleet(documents)
    ours = (resident() - start) / ROLLOUTS / KIB
    start = resident()
    dicts = [
        orjson.loads(raw) for number in range(ROLLOUTS) for _, raw in family(documents, number)
    ]
    plain = (resident() - start) / ROLLOUTS / KIB
    assert len(dicts) == ROLLOUTS * (2 + PODS)
    assert kept
    line = {
        "figure": "memory of a rollout with a ReplicaSet and two pods",
        "value": round(ours, 1),
        "unit": "KiB",
        "aim": 10,
        "against": f"the same as dicts: {plain:.1f}",
        "ratio": round(ours / plain, 2),
    }
    sys.stdout.write(json.dumps(line) + "\n")


def template() -> list[tuple[Kind, dict[str, Any]]]:
    """A healthy rollout with what belongs to it, as a spoke lists them."""
    found = next(r for r in recordings() if r.name.startswith("guestbook--first-revision"))
    objects = [(Kind(item["kind"]), item) for item in found.objects]
    pods = [item for item in objects if item[0] is Kind.POD][:PODS]
    others = [item for item in objects if item[0] in (Kind.ROLLOUT, Kind.REPLICA_SET)]
    assert (len(others), len(pods)) == (2, PODS)
    return others + pods


def family(
    documents: list[tuple[Kind, dict[str, Any]]], number: int
) -> Iterator[tuple[Kind, bytes]]:
    """The objects of one rollout: the template's, with names and uids of their own."""
    for kind, document in documents:
        text = orjson.dumps(document).decode()
        for _, other in documents:
            uid = other["metadata"]["uid"]
            text = text.replace(uid, f"{number:08x}{uid[8:]}")
        name = documents[0][1]["metadata"]["name"]
        yield kind, text.replace(f'"{name}', f'"{name}-{number:05}').encode()


def fleet(documents: list[tuple[Kind, dict[str, Any]]]) -> object:
    """Everything that a process holds of the rollouts."""
    inventory, mirror = Inventory(), MemoryMirror(SystemClock())
    for number in range(ROLLOUTS):
        for kind, raw in family(documents, number):
            inventory.apply(kind, Delivery(kube_object(kind, raw)))
    for key in list(inventory.rollouts.keys()):
        rollout = inventory.rollouts.get(key)
        assert isinstance(rollout, Rollout)
        mirror.put_rollout(build_view("east", rollout, inventory.belongings(rollout)))
    return inventory, mirror


def resident() -> int:
    """The process's resident memory in bytes."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096


if __name__ == "__main__":
    main()
