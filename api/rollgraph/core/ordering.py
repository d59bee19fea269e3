"""Orders of rollouts as bytes: of two rollouts, the one with the smaller key comes first.

Each field of an order becomes bytes that compare as its values do, and descending is the complement
of those bytes. No encoding is the beginning of another one of the same field, so that the fields'
bytes can simply be joined.
"""

from collections.abc import Callable, Iterable
from datetime import datetime

from rollgraph.core.objects.meta import EPOCH
from rollgraph.core.paging import Order, OrderField
from rollgraph.core.phase import Phase
from rollgraph.core.refs import RolloutRef
from rollgraph.core.view import RolloutView

_Encoder = Callable[[RolloutView], bytes]
# From a view and its `place` to its key.
Key = Callable[[RolloutView, bytes], bytes]

TIE_BREAK = (Order(OrderField.CLUSTER), Order(OrderField.NAMESPACE), Order(OrderField.NAME))
_IDENTITY = frozenset(part.field for part in TIE_BREAK)

# The order of phases is that of urgency: what failed, what waits for a person, what moves, what
# cannot be judged, what is well. Ascending puts the most urgent first.
URGENCY = (Phase.DEGRADED, Phase.PAUSED, Phase.PROGRESSING, Phase.UNKNOWN, Phase.HEALTHY)

_COMPLEMENT = bytes(range(255, -1, -1))
# Times before 1970 have to come first too: the sign bit is turned over.
_BIAS = 2**63
_PHASES = {phase.value: bytes((rank,)) for rank, phase in enumerate(URGENCY)}


def canonical(order: Iterable[Order]) -> tuple[Order, ...]:
    """The order in full: each field once, the tie-break included.

    A field that is named again changes nothing. Two requests that mean the same order have the same
    canonical one.
    """
    fields: dict[OrderField, Order] = {}
    for part in (*order, *TIE_BREAK):
        fields.setdefault(part.field, part)
        if fields.keys() >= _IDENTITY:
            break  # the place of a rollout is settled: what follows cannot matter
    return tuple(fields.values())


def place(ref: RolloutRef) -> bytes:
    """A rollout's key in the order of the tie-break, with which most other keys end.

    It never changes, so that whoever computes many keys of a rollout computes it once.
    """
    return _text(ref.cluster) + _text(ref.namespace) + _text(ref.name)


def key(order: Iterable[Order]) -> Key:
    """The function that gives a rollout's place in an order, unique to the rollout."""
    parts = canonical(order)
    if parts[-len(TIE_BREAK) :] != TIE_BREAK:
        encoders = [_directed(part) for part in parts]
        return lambda view, _: b"".join([encode(view) for encode in encoders])
    encoders = [_directed(part) for part in parts[: -len(TIE_BREAK)]]
    match encoders:
        case []:
            return lambda _, place: place
        case [only]:
            return lambda view, place: only(view) + place
        case _:
            return lambda view, place: b"".join([encode(view) for encode in encoders]) + place


def by_cluster(order: tuple[Order, ...]) -> tuple[Order, ...]:
    """An order that is the same within each cluster, and keeps each cluster's rollouts together."""
    if order and order[0].field is OrderField.CLUSTER:
        return canonical(order)
    return canonical((Order(OrderField.CLUSTER), *order))


def cluster_range(order: tuple[Order, ...], cluster: str) -> tuple[bytes, bytes]:
    """Where a cluster's rollouts lie in an order that begins with the cluster: from (inclusive) and
    to (exclusive).
    """
    start = _text(cluster)
    if order and order[0].descending:
        start = start.translate(_COMPLEMENT)
    # The last byte is that of the end of a text, 01 or its complement: there is one above it.
    return start, start[:-1] + bytes((start[-1] + 1,))


def _directed(part: Order) -> _Encoder:
    encode = _ENCODERS[part.field]
    if not part.descending:
        return encode
    return lambda view: encode(view).translate(_COMPLEMENT)


def _text(text: str) -> bytes:
    """UTF-8, whose order is that of the code points, and an end that sorts before all that follows.

    A NUL within the text becomes 00 FF, so that the end, 00 01, remains the smaller.
    """
    return text.encode(errors="surrogatepass").replace(b"\0", b"\0\xff") + b"\0\1"


def _time(moment: datetime) -> bytes:
    """Microseconds since 1970, in eight bytes."""
    since = moment - EPOCH
    micros = (since.days * 86400 + since.seconds) * 1_000_000 + since.microseconds
    return (micros + _BIAS).to_bytes(8)


def _cluster(view: RolloutView) -> bytes:
    return _text(view.ref.cluster)


def _namespace(view: RolloutView) -> bytes:
    return _text(view.ref.namespace)


def _name(view: RolloutView) -> bytes:
    return _text(view.ref.name)


def _phase(view: RolloutView) -> bytes:
    return _PHASES[view.phase]


def _updated_at(view: RolloutView) -> bytes:
    return _time(view.updated_at)


def _created_at(view: RolloutView) -> bytes:
    return _time(view.created_at)


def _progress(view: RolloutView) -> bytes:
    """One byte. A spoke that reports impossible numbers of pods must not break the index."""
    return bytes((min(max(view.progress.percent, 0), 255),))


_ENCODERS: dict[OrderField, _Encoder] = {
    OrderField.CLUSTER: _cluster,
    OrderField.NAMESPACE: _namespace,
    OrderField.NAME: _name,
    OrderField.PHASE: _phase,
    OrderField.UPDATED_AT: _updated_at,
    OrderField.CREATED_AT: _created_at,
    OrderField.PROGRESS: _progress,
}
