"""What a bulk would touch, signed: whoever has seen the list may run exactly that."""

import base64
import binascii
import hashlib
import hmac
import os
import zlib
from datetime import datetime, timedelta

import msgspec

from rollgraph.acting.request import Expected, whenever
from rollgraph.core.actions.action import Action
from rollgraph.core.errors import BadRequestError
from rollgraph.core.refs import RolloutRef
from rollgraph.core.viewer import Viewer
from rollgraph.ports import Clock

# A person reads the list and asks a colleague; longer, and it tells of another fleet.
GOOD_FOR = timedelta(minutes=10)
# Bytes of a ticket when unpacked: 500 rollouts with names of 250 characters each.
_LARGEST = 512 * 1024
_SIGNATURE = 32

_encode = msgspec.json.Encoder().encode


class Item(msgspec.Struct, frozen=True, array_like=True):
    """One rollout of the list, and where it was seen."""

    cluster: str
    namespace: str
    name: str
    version: str
    step_index: int | None = None
    template: str = ""

    @property
    def ref(self) -> RolloutRef:
        """The rollout."""
        return RolloutRef(self.cluster, self.namespace, self.name)

    @property
    def expected(self) -> Expected:
        """That it is still where it was seen.

        By step and template, not by version: while an update goes on, its controller writes a new
        version each second, and an abort that can never catch one is of no use.
        """
        return Expected(self.step_index, self.template or None)


class _Ticket(msgspec.Struct, frozen=True, array_like=True):
    until: float
    who: str
    what: str
    items: list[Item]


_tickets = msgspec.json.Decoder(_Ticket)


class Tickets:
    """Writes and reads tickets. They hold all there is to know; nothing is kept here.

    Args:
        clock: The time of day.
        key: Signs them; those of another key are worth nothing. By default one of this process.
    """

    def __init__(self, clock: Clock, key: bytes | None = None) -> None:
        self._clock = clock
        self._key = key if key is not None else os.urandom(_SIGNATURE)

    def write(self, viewer: Viewer, action: Action, items: list[Item]) -> tuple[str, datetime]:
        """A ticket for a viewer's action on these rollouts, and until when it is good."""
        until = self._clock.now() + GOOD_FOR
        ticket = _Ticket(until.timestamp(), _who(viewer), _what(action, self._clock.now()), items)
        packed = zlib.compress(_encode(ticket))
        return base64.urlsafe_b64encode(self._signature(packed) + packed).decode(), until

    def read(self, token: str, viewer: Viewer, action: Action) -> list[Item]:
        """The rollouts of a ticket.

        Raises `BadRequestError` for what is none, is another viewer's or another action's, or is
        too old.
        """
        ticket = self._opened(token)
        if ticket is None or ticket.who != _who(viewer):
            raise BadRequestError(
                "not a token of yours from here: make a dry run, and pass its token on as it is"
            )
        if ticket.what != _what(action, self._clock.now()):
            raise BadRequestError("the token is for another action: make a dry run of this one")
        if ticket.until <= self._clock.now().timestamp():
            raise BadRequestError(
                f"the token has expired: make a dry run again, and use its token within"
                f" {GOOD_FOR.total_seconds() / 60:.0f} minutes"
            )
        return ticket.items

    def _opened(self, token: str) -> _Ticket | None:
        try:
            raw = base64.b64decode(token.encode("ascii"), altchars=b"-_", validate=True)
        except (binascii.Error, UnicodeEncodeError):
            return None
        signature, packed = raw[:_SIGNATURE], raw[_SIGNATURE:]
        if not hmac.compare_digest(signature, self._signature(packed)):
            return None
        # It is ours: what follows cannot fail, and is no larger than we made it.
        return _tickets.decode(zlib.decompressobj().decompress(packed, _LARGEST))

    def _signature(self, packed: bytes) -> bytes:
        return hmac.digest(self._key, b"bulk\0" + packed, hashlib.sha256)


def _who(viewer: Viewer) -> str:
    return hashlib.sha256(_encode([viewer.issuer, viewer.subject])).hexdigest()


def _what(action: Action, now: datetime) -> str:
    action = whenever(action, now)
    return f"{type(action).__name__} {_encode(action).decode()}"
