"""Who callers are."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol

from rollgraph.core.session import Grant, PendingLogin, Session
from rollgraph.core.viewer import Viewer


class TokenVerifier(Protocol):
    """Knows callers by their tokens."""

    async def verify(self, token: str) -> Viewer:
        """The caller whose token it is.

        Raises `UnauthenticatedViewerError` for a token that is not good, with a message that says
        which check failed and never repeats any of it; `IdentityProviderError` if it cannot be told
        now, because who would know does not answer. Nobody is let in while that cannot be told.
        """


class LoginProvider(Protocol):
    """Where people log in with a browser."""

    async def begin(self, back: str) -> PendingLogin:
        """Begins a login that comes back to a URL of ours.

        Raises `IdentityProviderError`, as all methods do.
        """

    async def finish(self, answer: Mapping[str, str], pending: PendingLogin, back: str) -> Grant:
        """Ends a login by what came back with the browser.

        Raises `UnauthenticatedViewerError` if it is not that login's, or the provider refused; the
        message may be shown.
        """

    async def renew(self, grant: Grant) -> Grant:
        """A newer grant for the same person; the old one's refresh token may be used up.

        Raises `UnauthenticatedViewerError` if the provider lets it end.
        """

    async def farewell(self, back: str) -> str:
        """Where a browser logs out at the provider, too; "" if it has no way. Raises nothing."""


class SessionStore(Protocol):
    """The logins of browsers.

    Bounded: who has been away longest loses their login. Every method raises
    `IdentityProviderError` if the store does not answer.
    """

    async def get(self, key: str) -> Session | None:
        """A login that has not ended."""

    async def put(self, key: str, session: Session, until: datetime) -> None:
        """Adds or replaces a login, which ends by itself at a time."""

    async def drop(self, key: str) -> None:
        """Ends a login; nothing happens if there is none."""

    def turn(self, key: str) -> AbstractAsyncContextManager[None]:
        """Waits for a turn to renew a login, and has it within: one at a time, of all processes.

        Of a process that dies meanwhile it is taken away after some seconds.
        """


class Sealing(Protocol):
    """Makes secrets fit to be kept where others may look."""

    def seal(self, plain: bytes) -> bytes:
        """Bytes that tell nothing but their length to whoever has no key."""

    def unseal(self, sealed: bytes) -> bytes | None:
        """What was sealed; None for what was not sealed by a key of ours, or was changed since."""
