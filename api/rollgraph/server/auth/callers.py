"""From a request to its caller: who that is, and what they may do."""

from collections.abc import Awaitable, Callable

from starlette.requests import HTTPConnection

from rollgraph.access.caller import Caller
from rollgraph.core.errors import UnauthenticatedViewerError
from rollgraph.core.viewer import Viewer
from rollgraph.ports import Rights, TokenVerifier
from rollgraph.server.auth import bearer

# How a request without a token may be somebody's: None if it is not.
Browser = Callable[[HTTPConnection], Awaitable[tuple[Viewer, str] | None]]


async def _nobody(_: HTTPConnection) -> None:
    return None


class Callers:
    """Knows callers by what their requests bring.

    Args:
        verifier: Knows tokens.
        rights: What a viewer may do, by the policy of this moment.
        browser: Knows browsers by their cookies.
    """

    def __init__(
        self,
        verifier: TokenVerifier,
        rights: Callable[[Viewer], Rights],
        browser: Browser = _nobody,
    ) -> None:
        self._verifier = verifier
        self._rights = rights
        self._browser = browser

    async def caller(self, connection: HTTPConnection) -> Caller:
        """The caller of a request.

        A token goes before a cookie: whoever sends one means it, and no browser adds it by itself.
        Raises `UnauthenticatedViewerError` for a caller who cannot be told, and
        `IdentityProviderError` while nobody can be.
        """
        token = bearer.of_header(connection.headers.getlist("authorization"))
        if token is not None:
            return await self._by_token(token)
        known = await self._browser(connection)
        if known is None:
            raise UnauthenticatedViewerError("log in first: there is neither a token nor a login")
        viewer, token = known
        return Caller(self._rights(viewer), token)

    async def of_init(self, payload: object) -> Caller | None:
        """The caller whom a WebSocket's `connection_init` names; None if it names nobody.

        Then the handshake counts, which is a request like others. Raises as `caller` does.
        """
        token = bearer.of_init(payload)
        return None if token is None else await self._by_token(token)

    async def _by_token(self, token: str) -> Caller:
        return Caller(self._rights(await self._verifier.verify(token)), token)
