"""The way in and out for people with a browser, and what a command line must know to log in."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from rollgraph.core.audit import AuditEntry, Deed, Result
from rollgraph.core.errors import IdentityProviderError, UnauthenticatedViewerError
from rollgraph.core.viewer import Viewer
from rollgraph.ports import LoginProvider
from rollgraph.server.auth import forgery, pages
from rollgraph.server.auth.browsers import Browsers
from rollgraph.server.auth.cookies import Cookies
from rollgraph.server.auth.origins import HOME, Origins, local_path
from rollgraph.server.requestid import request_id

_log = structlog.get_logger(__name__)

# 303: whatever it was that led here, what comes is a GET.
_SEE_OTHER = 303


class Door:
    """The routes for people.

    Args:
        browsers: Their logins.
        provider: Where they log in.
        origins: Tells our own origin.
        record: Tells the audit; never waits, never raises.
    """

    def __init__(
        self,
        browsers: Browsers,
        provider: LoginProvider,
        origins: Origins,
        record: Callable[[AuditEntry], object] = lambda _: None,
    ) -> None:
        self._browsers = browsers
        self._provider = provider
        self._origins = origins
        self._record = record

    def routes(self) -> list[Route]:
        """All of them."""
        return [
            Route("/auth/login", self.login, methods=["GET"]),
            Route("/auth/callback", self.callback, methods=["GET"]),
            Route("/auth/logout", self.logout, methods=["POST"]),
            Route("/auth/session", self.session, methods=["GET"]),
        ]

    async def login(self, request: Request[Any]) -> Response:
        """Leads to the provider, and from there to `next`, a path of ours."""
        try:
            pending = await self._provider.begin(self._origins.back(request))
        except IdentityProviderError as error:
            return _failed(error)
        response = RedirectResponse(pending.url, _SEE_OTHER)
        next_ = local_path(request.query_params.get("next", HOME))
        self._cookies(request).begin(response, pending, next_)
        return response

    async def callback(self, request: Request[Any]) -> Response:
        """Where the provider leads back to."""
        cookies = self._cookies(request)
        response = await self._called_back(request, cookies)
        cookies.end_login(response)
        return response

    async def _called_back(self, request: Request[Any], cookies: Cookies) -> Response:
        held = cookies.pending(request)
        try:
            if held is None:
                raise UnauthenticatedViewerError(
                    "it was not begun in this browser, or too long ago"
                )
            pending, next_ = held
            back = self._origins.back(request)
            grant = await self._provider.finish(dict(request.query_params), pending, back)
        except (UnauthenticatedViewerError, IdentityProviderError) as error:
            return _failed(error)
        await self._browsers.end(request)
        response = RedirectResponse(local_path(next_), _SEE_OTHER)
        cookies.put(response, await self._browsers.begin(grant))
        _log.info("logged_in", subject=grant.viewer.subject, issuer=grant.viewer.issuer)
        self._tell(request, Deed.LOGIN, grant.viewer)
        return response

    async def logout(self, request: Request[Any]) -> Response:
        """Ends the login here; where to go to end it at the provider, too."""
        origin = self._origins.ours(request)
        session = await self._browsers.session(request)
        if session is not None:
            forgery.check(request, origin, session.csrf)
            await self._browsers.end(request)
            _log.info("logged_out", subject=session.grant.viewer.subject)
            self._tell(request, Deed.LOGOUT, session.grant.viewer)
        way = await self._provider.farewell(f"{origin}{HOME}")
        response = JSONResponse({"next": way or HOME})
        self._cookies(request).drop(response)
        return response

    async def session(self, request: Request[Any]) -> Response:
        """Who is logged in, for a page of ours."""
        session = await self._browsers.session(request)
        if session is None:
            return JSONResponse({"login": True, "viewer": None})
        viewer = session.grant.viewer
        shown = {"subject": viewer.subject, "name": viewer.name, "email": viewer.email}
        return JSONResponse({"login": True, "viewer": shown, "csrf": session.csrf})

    def _tell(self, request: Request[Any], deed: Deed, viewer: Viewer) -> None:
        id_ = request_id(request.scope)
        self._record(AuditEntry(viewer=viewer, verb=deed, result=Result.APPLIED, request_id=id_))

    def _cookies(self, request: Request[Any]) -> Cookies:
        return Cookies(self._origins.ours(request))


async def no_session(_: Request[Any]) -> Response:
    """What a page of ours is told where nobody can log in with a browser."""
    return JSONResponse({"login": False, "viewer": None})


class CommandLine(msgspec.Struct, frozen=True, rename="camel"):
    """What `rollgraph login` must know; nothing of it is secret.

    Attributes:
        token: Which of the provider's tokens is to be sent: `id_token` or `access_token`.
    """

    issuer: str
    client_id: str
    scopes: tuple[str, ...]
    token: str
    resource: str = ""

    def route(self) -> Route:
        """Where it is told."""
        told: Mapping[str, Any] = msgspec.to_builtins(self)

        async def tell(_: Request[Any]) -> Response:
            return JSONResponse(told)

        return Route("/.well-known/rollgraph", tell, methods=["GET"])


def _failed(error: Exception) -> Response:
    down = isinstance(error, IdentityProviderError)
    _log.warning("login_failed", reason=str(error))
    return pages.failed(str(error), 503 if down else 401)
