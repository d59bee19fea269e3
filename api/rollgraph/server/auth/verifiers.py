"""Whose tokens are asked of whom."""

from rollgraph.core import serviceaccount
from rollgraph.core.viewer import Viewer
from rollgraph.ports import TokenVerifier


class Verifiers:
    """A `ports.TokenVerifier` for people's tokens and service accounts' alike.

    Args:
        issuers: Knows what issuers signed.
        reviewer: Knows service accounts; None if their tokens are not taken.
    """

    def __init__(self, issuers: TokenVerifier, reviewer: TokenVerifier | None = None) -> None:
        self._issuers = issuers
        self._reviewer = reviewer

    async def verify(self, token: str) -> Viewer:
        """Of the port."""
        if self._reviewer is not None and serviceaccount.read(token) is not None:
            return await self._reviewer.verify(token)
        return await self._issuers.verify(token)
