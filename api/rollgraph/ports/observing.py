"""Who is told what goes on, to count it.

What is declared here does nothing: nobody has to listen. Each is told at once, in the middle of the
work, so that whoever listens neither waits nor raises.
"""

from datetime import datetime

from rollgraph.core.refs import Kind


class WatchObserver:
    """Hears how the watches of one spoke fare."""

    def received(self, kind: Kind, type: str) -> None:
        """An event came: ADDED, MODIFIED, DELETED, BOOKMARK or ERROR."""

    def broken(self, kind: Kind, reason: str) -> None:
        """A watch failed, and begins anew; the reason is one of `core.connection.Problem`."""

    def listed(self, kind: Kind, reason: str) -> None:
        """A full list is held; the reason is START, EXPIRED, or a `core.connection.Problem`."""


class FeedObserver:
    """Hears what becomes of feeds: of a worker's side, and of a gateway's."""

    def published(self, facts: int, seconds: float) -> None:
        """Facts were written at once; how long that took."""

    def overflowed(self, cluster: str) -> None:
        """More facts waited to be written than may; what differs is written instead."""

    def applied(self, facts: int, seconds: float) -> None:
        """Facts were taken into the model at once; how long that took."""

    def arrived(self, cluster: str, at: datetime) -> None:
        """A fact was taken that a worker had learned then, by its clock, and none is missing."""

    def torn(self, cluster: str) -> None:
        """Something of a feed, which was whole here, is missing."""

    def healed(self, cluster: str, means: str) -> None:
        """What was missing is there: by `log`, or by `snapshot`, which does not tell the story."""

    def coalesced(self, news: int) -> None:
        """A listener was too slow: so many news became part of later ones."""

    def dropped(self, news: int) -> None:
        """A listener was far too slow: so many news were dropped, and it looks anew."""


class OperationObserver:
    """Hears what is asked in GraphQL, and what came of it."""

    def answered(self, type: str, result: str, seconds: float | None) -> None:
        """An operation has ended.

        Args:
            type: `query`, `mutation` or `subscription`; `unknown` of a document that says neither.
            result: `ok`; `errors` in a part of the answer; `refused` before anything was executed;
                `failed` if there is no answer.
            seconds: How long it took; None where that says nothing.
        """


class PolicyObserver:
    """Hears what it costs to decide."""

    def decided(self, seconds: float) -> None:
        """It was worked out what somebody may do, for the first time by the policy in force."""
