"""Kubernetes service accounts: callers whom a cluster vouches for, by TokenReview."""

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import anyio
import msgspec

from rollgraph.acting.patchers import Patchers
from rollgraph.core import serviceaccount
from rollgraph.core.errors import (
    ForbiddenError,
    IdentityProviderError,
    RollgraphError,
    UnauthenticatedError,
    UnauthenticatedViewerError,
)
from rollgraph.core.viewer import Login, Viewer
from rollgraph.ports import Clock
from rollgraph.server.auth.flights import Flights

# How long a cluster's answer holds: a deleted account's token is good for so long, and no; a short
# while, for a cluster that has just started may not know its accounts yet.
GOOD_FOR = timedelta(seconds=30)
BAD_FOR = timedelta(seconds=5)
# Answers that are kept.
MOST_KNOWN = 10_000
# Reviews at once: a burst of unknown tokens must not take the connections that actions need.
AT_ONCE = 4


class _Known(msgspec.Struct, frozen=True):
    """A cluster's answer; None for a token that is not good."""

    viewer: Viewer | None
    until: datetime


class ServiceAccounts:
    """A `ports.TokenVerifier` for the service accounts of one cluster.

    Args:
        patchers: The clusters.
        cluster: The one that is asked.
        audiences: Whom tokens must be meant for: one of these.
        clock: Tells the time.
    """

    def __init__(
        self, patchers: Patchers, cluster: str, audiences: Sequence[str], clock: Clock
    ) -> None:
        self._patchers = patchers
        self._cluster = cluster
        self._audiences = audiences
        self._clock = clock
        # By SHA-256; the longest unused goes first.
        self._known: OrderedDict[bytes, _Known] = OrderedDict()
        self._flights = Flights()
        self._places = anyio.Semaphore(AT_ONCE)

    async def verify(self, token: str) -> Viewer:
        """Of the port. A token that has expired or is for others is refused without a request."""
        claims = serviceaccount.read(token)
        if claims is None:
            raise UnauthenticatedViewerError("the token is not a service account's")
        serviceaccount.check(claims, self._audiences, self._clock.now())
        digest = hashlib.sha256(token.encode()).digest()
        known = self._remembered(digest)
        if known is None:
            async with self._flights.one(digest), self._places:
                known = self._remembered(digest) or await self._ask(token, claims, digest)
        if known.viewer is None:
            raise UnauthenticatedViewerError(
                "the cluster does not know the service account's token"
            )
        return known.viewer

    async def _ask(self, token: str, claims: serviceaccount.Claims, digest: bytes) -> _Known:
        viewer = await self._reviewed(token, claims)
        life = BAD_FOR if viewer is None else GOOD_FOR
        known = _Known(viewer, self._clock.now() + life)
        self._known[digest] = known
        if len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)
        return known

    async def _reviewed(self, token: str, claims: serviceaccount.Claims) -> Viewer | None:
        seat = self._patchers.seat(self._cluster)
        if seat is None:
            raise IdentityProviderError(
                f"service accounts are asked of cluster {self._cluster!r}, which is not there"
            )
        try:
            async with seat.patcher() as patcher:
                found = await patcher.review(token, self._audiences)
        except ForbiddenError as error:
            raise IdentityProviderError(
                f"Rollgraph may not create tokenreviews on {self._cluster}: {error}"
            ) from error
        except UnauthenticatedError as error:
            await self._patchers.renew(seat)
            raise IdentityProviderError(f"{self._cluster} cannot be asked: {error}") from error
        except RollgraphError as error:
            raise IdentityProviderError(f"{self._cluster} cannot be asked: {error}") from error
        if found is None or not found.user.startswith(serviceaccount.PREFIX):
            return None
        ends = None if claims.exp is None else datetime.fromtimestamp(claims.exp, UTC)
        return Viewer(
            found.user,
            found.groups,
            f"kubernetes:{self._cluster}",
            Login.SERVICE_ACCOUNT,
            expires_at=ends,
        )

    def _remembered(self, digest: bytes) -> _Known | None:
        known = self._known.get(digest)
        if known is None or known.until <= self._clock.now():
            return None
        self._known.move_to_end(digest)
        return known
