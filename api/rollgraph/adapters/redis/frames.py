"""Facts as bytes.

One byte says which form the rest has, so that a gateway of another version can tell that it does
not know it. The form is a zlib stream, for a view repeats itself: of 9 KiB it leaves 3.
"""

import zlib
from collections.abc import Sequence
from datetime import datetime

import msgspec

from rollgraph.core.connection import ClusterView
from rollgraph.core.errors import UnreadableError
from rollgraph.core.feed.checkpoints import Checkpoint
from rollgraph.core.feed.entries import Batch, Entry, Fact, Subject
from rollgraph.core.objects.sharing import share
from rollgraph.core.refs import ObjectKey
from rollgraph.core.view import RolloutView

FORM = b"\x01"
# zlib's fastest: level 6 takes three times as long for a tenth less.
LEVEL = 1
# Bytes that one fact may have unpacked; a rollout with a thousand pods has 1 MiB.
LONGEST = 16 * 1024 * 1024


# What comes after the value may be missing, and who knows nothing of it does not read it.
class _RolloutFact(msgspec.Struct, frozen=True, array_like=True):
    at: datetime
    value: RolloutView | None
    trace: str = ""


class _ClusterFact(msgspec.Struct, frozen=True, array_like=True):
    at: datetime
    value: ClusterView | None
    trace: str = ""


class _Message(msgspec.Struct, frozen=True, array_like=True):
    cluster: str
    epoch: str
    first: int
    facts: list[tuple[str, bytes]]


_encoder = msgspec.msgpack.Encoder()
_rollouts = msgspec.msgpack.Decoder(_RolloutFact)
_clusters = msgspec.msgpack.Decoder(_ClusterFact)
_messages = msgspec.msgpack.Decoder(_Message)
_checkpoints = msgspec.msgpack.Decoder(Checkpoint)


def field_of(subject: Subject) -> str:
    """A subject's name in a hash; "" is the spoke itself."""
    return "" if subject is None else str(subject)


def subject_of(field: str) -> Subject:
    """The subject with this name."""
    if not field:
        return None
    namespace, _, name = field.partition("/")
    return ObjectKey(namespace, name)


def frame(fact: Fact) -> bytes:
    """A fact's bytes, without its subject and number."""
    parts = (fact.at, fact.value, fact.trace) if fact.trace else (fact.at, fact.value)
    return FORM + zlib.compress(_encoder.encode(parts), LEVEL)


def entry(seq: int, field: str, body: bytes) -> Entry:
    """A fact from its bytes.

    Raises `UnreadableError` for bytes of another form, and for what is no fact at all.
    """
    subject = subject_of(field)
    decoder = _clusters if subject is None else _rollouts
    try:
        fact = decoder.decode(_unpacked(body))
    except (zlib.error, msgspec.DecodeError) as error:
        raise UnreadableError(f"fact {seq} of {field or 'the spoke'}: {error}") from None
    if fact.value is not None:
        share(fact.value)
    return Entry(seq, subject, fact.value, fact.at, fact.trace)


def framed(checkpoint: Checkpoint) -> bytes:
    """A checkpoint's bytes."""
    return FORM + zlib.compress(_encoder.encode(checkpoint), LEVEL)


def checkpoint(body: bytes) -> Checkpoint:
    """A checkpoint from its bytes. Raises `UnreadableError` as `entry` does."""
    try:
        return _checkpoints.decode(_unpacked(body))
    except (zlib.error, msgspec.DecodeError) as error:
        raise UnreadableError(f"checkpoint: {error}") from None


def message(cluster: str, epoch: str, first: int, facts: Sequence[tuple[str, bytes]]) -> bytes:
    """A message with facts that follow each other."""
    return _encoder.encode(_Message(cluster, epoch, first, list(facts)))


def batch(body: bytes) -> Batch:
    """The facts of a message. Raises `UnreadableError` as `entry` does."""
    try:
        found = _messages.decode(body)
    except msgspec.DecodeError as error:
        raise UnreadableError(f"message: {error}") from None
    entries = [entry(found.first + n, *fact) for n, fact in enumerate(found.facts)]
    if not entries:
        raise UnreadableError("message: expected at least one fact")
    return Batch(found.cluster, found.epoch, entries)


def _unpacked(body: bytes) -> bytes:
    if body[:1] != FORM:
        raise UnreadableError(
            f"expected form {FORM.hex()}, got {body[:1].hex() or 'nothing'}: another version of"
            " Rollgraph has written it, which needs a redis.prefix of its own"
        )
    unpacker = zlib.decompressobj()
    found = unpacker.decompress(body[1:], LONGEST)
    if unpacker.unconsumed_tail:
        raise UnreadableError(f"expected at most {LONGEST} bytes")
    return found
