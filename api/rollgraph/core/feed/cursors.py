"""Cursors of streams: what a reader has been told, as a text that any gateway understands.

A cursor says how far the reader is in each feed that concerns them, and which rollouts they know
of. Both are checked when they come back. A position of another epoch is no position; and if the
reader would have to know other rollouts at that place than they do, because their filter, their
rights or the fleet changed meanwhile, then what was missed cannot be told as changes.

The text has no names in it, neither of spokes nor of rollouts, and grants nothing.
"""

import base64
import binascii
from collections.abc import Collection, Mapping
from functools import lru_cache
from hashlib import blake2b

import msgspec

from rollgraph.core.errors import BadCursorError
from rollgraph.core.feed.entries import Position
from rollgraph.core.feed.news import Frontier
from rollgraph.core.refs import RolloutRef

_VERSION = 1
# Characters. A feed takes some 20: this is enough for 3,000 spokes.
MAX_CURSOR = 64 * 1024
# Cursors and fingerprints that are kept: a thousand readers are told the same within a moment, and
# each time that a rollout comes or goes, it is the same few thousand.
_KEPT, _KEPT_REFS = 1024, 1 << 16


class Begun(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """News that have been told in part.

    Attributes:
        feed: Of which feed: its last position in the cursor is that of these news.
        told: How many events of them have been.
    """

    feed: bytes
    told: int


class Cursor(msgspec.Struct, frozen=True, array_like=True):
    """What a reader has been told.

    Attributes:
        feeds: The last number in each feed, by the feed's fingerprint.
        members: The fingerprint of all rollouts, or spokes, that they know of.
    """

    version: int
    feeds: dict[bytes, int]
    members: int
    begun: Begun | None = None

    def positions(
        self, now: Mapping[str, Position], clusters: Collection[str]
    ) -> dict[str, Position] | None:
        """Where the reader is in the feeds of some spokes, given where these are now.

        News that were told in part are still to be told. None if the cursor does not say it of all.
        """
        found = {}
        for cluster in clusters:
            here = now.get(cluster)
            feed = b"" if here is None else fingerprint(cluster, here.epoch)
            if here is None or feed not in self.feeds:
                return None
            begun = self.begun is not None and self.begun.feed == feed
            found[cluster] = Position(here.epoch, self.feeds[feed] - begun)
        return found

    def told_of(self, cluster: str, position: Position) -> int:
        """How many events of the next news of a spoke have been told."""
        begun = self.begun
        if begun is None or begun.feed != fingerprint(cluster, position.epoch):
            return 0
        return begun.told


@lru_cache(maxsize=_KEPT_REFS)
def member(of: RolloutRef | str) -> int:
    """The fingerprint of a rollout, or of a spoke by its name.

    Those of several are put together by exclusive or.
    """
    return int.from_bytes(_digest(str(of)))


@lru_cache(maxsize=_KEPT)
def fingerprint(cluster: str, epoch: str) -> bytes:
    """The fingerprint of an epoch of a spoke's feed."""
    return _digest(f"{cluster}\0{epoch}")


@lru_cache(maxsize=_KEPT)
def encode(
    frontier: Frontier,
    clusters: frozenset[str],
    members: int,
    begun: tuple[str, int] | None = None,
) -> str:
    """A cursor's text.

    Args:
        frontier: How far the reader is.
        clusters: The spokes that concern them.
        members: The fingerprint of all rollouts that they know of.
        begun: The spoke whose last news were told in part, and how many events of them.
    """
    feeds = {
        fingerprint(cluster, position.epoch): position.seq
        for cluster, position in frontier.positions.items()
        if cluster in clusters
    }
    part = None
    if begun is not None:
        cluster, told = begun
        part = Begun(fingerprint(cluster, frontier.positions[cluster].epoch), told)
    packed = msgspec.msgpack.encode(Cursor(_VERSION, feeds, members, part))
    return base64.urlsafe_b64encode(packed).rstrip(b"=").decode()


def decode(text: str) -> Cursor:
    """Reads a cursor. Raises `BadCursorError` for what is none."""
    if len(text) > MAX_CURSOR:
        raise _no_cursor()
    try:
        packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        cursor = msgspec.msgpack.decode(packed, type=Cursor)
    except (binascii.Error, ValueError, msgspec.MsgspecError) as error:
        raise _no_cursor() from error
    if cursor.version != _VERSION:
        raise _no_cursor()
    return cursor


def _digest(text: str) -> bytes:
    return blake2b(text.encode(), digest_size=8).digest()


def _no_cursor() -> BadCursorError:
    return BadCursorError(
        "`resumeAfter` is not a cursor of a stream: pass on an event's `cursor` as it is, or leave"
        " it out to begin with the state of now"
    )
