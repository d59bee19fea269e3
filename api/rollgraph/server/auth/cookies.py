"""Cookies: the name of a login, and a login that is under way."""

import base64

import msgspec
from starlette.requests import HTTPConnection
from starlette.responses import Response

from rollgraph.core.session import PendingLogin

# Seconds to enter a password and a second factor.
PENDING = 600


class _Pending(msgspec.Struct, array_like=True):
    state: str
    nonce: str
    verifier: str
    next: str

    def __repr__(self) -> str:
        return "_Pending(...)"


class Cookies:
    """The cookies of one origin.

    `__Host-` makes browsers refuse a cookie of that name that is not Secure or comes from a
    subdomain. It needs HTTPS, which loopback has not: there the name is another, so that neither
    is taken for the other.

    Args:
        origin: Ours.
    """

    def __init__(self, origin: str) -> None:
        self._secure = origin.startswith("https://")
        prefix = "__Host-rollgraph" if self._secure else "rollgraph-loopback"
        self.session = f"{prefix}-session"
        self.login = f"{prefix}-login"

    def begin(self, response: Response, pending: PendingLogin, next_: str) -> None:
        """Lets the browser keep a login until it comes back. No memory of ours can be filled."""
        held = _Pending(pending.state, pending.nonce, pending.verifier, next_)
        text = base64.urlsafe_b64encode(msgspec.json.encode(held)).decode("ascii")
        self._set(response, self.login, text, PENDING)

    def pending(self, connection: HTTPConnection) -> tuple[PendingLogin, str] | None:
        """The login that is under way, and where to go then; None if there is none."""
        text = connection.cookies.get(self.login, "")
        try:
            held = msgspec.json.decode(base64.urlsafe_b64decode(text), type=_Pending)
        except (ValueError, msgspec.MsgspecError):
            return None
        return PendingLogin("", held.state, held.nonce, held.verifier), held.next

    def end_login(self, response: Response) -> None:
        """Ends the login that was under way."""
        self._drop(response, self.login)

    def put(self, response: Response, name: str) -> None:
        """Gives the browser the name of its session; for as long as it runs."""
        self._set(response, self.session, name, None)

    def drop(self, response: Response) -> None:
        """Takes it back."""
        self._drop(response, self.session)

    def _set(self, response: Response, name: str, value: str, max_age: int | None) -> None:
        response.set_cookie(
            name,
            value,
            max_age,
            path="/",
            secure=self._secure,
            httponly=True,
            # Lax, not Strict: a provider's page leads back to us, with the cookie of the login.
            samesite="lax",
        )

    def _drop(self, response: Response, name: str) -> None:
        response.delete_cookie(name, path="/", secure=self._secure, httponly=True, samesite="lax")
