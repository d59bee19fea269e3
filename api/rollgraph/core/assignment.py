"""Which worker watches which spoke: computed by each worker alone, and the same by all.

Weighted rendezvous hashing with bounded load. Each spoke ranks the workers by chance that depends
on nothing but their names, and goes to the first that has room. So a worker that comes or goes
moves its own share and little else, and nobody has to agree with anybody.

The ranking is Thaler and Ravishankar's ("Using name-based mappings to increase hit rates", 1998);
the bound is Mirrokni, Thorup and Zadimoghaddam's ("Consistent hashing with bounded loads", 2016).
"""

from collections.abc import Collection, Mapping
from hashlib import blake2b
from math import inf

# The load that a worker may have, as a multiple of the mean. Less evens out more and moves more.
BOUND = 1.25
# Workers keep what they hold while no load differs by more than this share of the mean from it,
# though others would rank higher: each move is a moment in which a spoke's news are late.
TOLERANCE = 0.2


def assign(
    weights: Mapping[str, float],
    workers: Collection[str],
    held: Mapping[str, str] | None = None,
    pins: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """The worker of each spoke; empty without workers.

    Args:
        weights: What each spoke costs to watch, in any unit; 1 or more.
        workers: Those that are alive.
        held: Who watches a spoke now; others than `workers` do not count.
        pins: The worker that an operator has chosen for a spoke, if it is alive.
    """
    if not workers:
        return {}
    mean = sum(weights.values()) / len(workers)
    loads = dict.fromkeys(sorted(workers), 0.0)
    found: dict[str, str] = {}

    def give(spoke: str, worker: str) -> None:
        found[spoke] = worker
        loads[worker] += weights[spoke]

    keep, room = _bounds(weights, loads, held or {}, mean)
    for wish, bound in ((pins or {}, inf), (held or {}, keep)):
        for spoke in _heaviest_first(weights):
            worker = wish.get(spoke, "")
            if spoke not in found and worker in loads and loads[worker] + weights[spoke] <= bound:
                give(spoke, worker)
    for spoke in _heaviest_first(weights):
        if spoke not in found:
            give(spoke, _first_with_room(spoke, weights[spoke], loads, room))
    return found


def weight(known: int) -> float:
    """What a spoke costs to watch, by how many rollouts are known of it.

    Rounded up to a power of two: workers that look at slightly different moments have to agree.
    """
    return float(1 << max(known - 1, 0).bit_length())


def _bounds(
    weights: Mapping[str, float], workers: Collection[str], held: Mapping[str, str], mean: float
) -> tuple[float, float]:
    """Up to which load a worker keeps what it holds, and up to which it gets more."""
    loads = dict.fromkeys(workers, 0.0)
    for spoke, worker in held.items():
        if worker in loads:
            loads[worker] += weights.get(spoke, 0.0)
    if not any(loads.values()):
        return 0.0, BOUND * mean
    apart = max(abs(load - mean) for load in loads.values())
    return (inf, BOUND * mean) if apart <= TOLERANCE * mean else (mean, mean)


def _heaviest_first(weights: Mapping[str, float]) -> list[str]:
    """The order in which room is given away: what is large finds some while there is any."""
    return sorted(weights, key=lambda spoke: (-weights[spoke], spoke))


def _first_with_room(spoke: str, weight: float, loads: Mapping[str, float], bound: float) -> str:
    ranked = sorted(loads, key=lambda worker: _rank(spoke, worker), reverse=True)
    for worker in ranked:
        if loads[worker] + weight <= bound:
            return worker
    # A spoke that is heavier than the bound, or the last of many: whoever has least.
    return min(ranked, key=lambda worker: loads[worker])


def _rank(spoke: str, worker: str) -> bytes:
    return blake2b(worker.encode(), key=spoke.encode()[:64], digest_size=8).digest()
