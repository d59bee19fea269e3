"""The device flow: how long it waits, and what it makes of each answer."""

import json
from collections.abc import Callable
from typing import Any

import anyio
import httpx2
import pytest

from fakes.issuer import URL
from rollgraph.adapters.oidc.device import DeviceLogin
from rollgraph.core.errors import ConfigError, IdentityProviderError, UnauthenticatedViewerError

SECRET = "a-device-code-that-nobody-may-see"
BEGUN = {
    "device_code": SECRET,
    "user_code": "ABCD-EFGH",
    "verification_uri": f"{URL}/device",
    "expires_in": 600,
    "interval": 5,
}
METADATA = {
    "issuer": URL,
    "jwks_uri": f"{URL}/keys",
    "token_endpoint": f"{URL}/token",
    "device_authorization_endpoint": f"{URL}/device/auth",
}


class Provider:
    """One that answers as it is told.

    Attributes:
        polls: When it was asked for a token, in seconds.
        answers: What it says then, one after the other; the last again and again.
    """

    def __init__(self, *answers: dict[str, Any]) -> None:
        self.answers = list(answers)
        self.polls: list[float] = []
        self.begun: dict[str, Any] = BEGUN
        self.metadata: dict[str, Any] = METADATA

    def login(self, issuer: str = URL) -> DeviceLogin:
        options = {"transport": httpx2.MockTransport(self._answer)}
        return DeviceLogin(issuer, "cli", ("openid",), options)

    async def run(self) -> dict[str, Any]:
        login = self.login()
        return await login.wait(await login.begin())

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        match request.url.path.rpartition("/")[2]:
            case "openid-configuration":
                return httpx2.Response(200, json=self.metadata)
            case "auth":
                return httpx2.Response(200 if "device_code" in self.begun else 400, json=self.begun)
            case _:
                self.polls.append(anyio.current_time())
                said = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
                return httpx2.Response(400 if "error" in said else 200, json=said)


def error(code: str) -> dict[str, Any]:
    return {"error": code, "error_description": f"about {SECRET}"}


TOKENS = {"access_token": "a", "id_token": "b", "token_type": "Bearer", "expires_in": 600}


async def test_it_asks_until_the_person_has_agreed_and_slower_when_told_to() -> None:
    provider = Provider(
        error("authorization_pending"),
        error("slow_down"),
        error("authorization_pending"),
        TOKENS,
    )
    start = anyio.current_time()
    tokens = await provider.run()
    assert tokens["id_token"] == "b"
    assert [round(at - start) for at in provider.polls] == [5, 10, 20, 30]


@pytest.mark.parametrize(
    ("code", "reason", "kind"),
    [
        ("access_denied", "refused in the browser", UnauthenticatedViewerError),
        ("expired_token", "in time", UnauthenticatedViewerError),
        ("invalid_grant", "has ended", UnauthenticatedViewerError),
        ("invalid_client", "refused: invalid_client", IdentityProviderError),
        (f"x {SECRET}", "an unknown error", IdentityProviderError),
    ],
)
async def test_a_refusal_is_told_and_nothing_of_its_text(
    code: str, reason: str, kind: type[Exception]
) -> None:
    with pytest.raises(kind, match=reason) as caught:
        await Provider(error(code)).run()
    assert SECRET not in str(caught.value)


async def test_it_does_not_wait_for_longer_than_the_provider_does() -> None:
    start = anyio.current_time()
    with pytest.raises(UnauthenticatedViewerError, match="in time"):
        await Provider(error("authorization_pending")).run()
    assert anyio.current_time() - start == pytest.approx(600, abs=1)


@pytest.mark.parametrize(
    "begun", [{}, {"error": "unauthorized_client"}, BEGUN | {"expires_in": "soon"}], ids=json.dumps
)
async def test_a_login_that_does_not_begin_is_said_to_have_not(begun: dict[str, Any]) -> None:
    provider = Provider(TOKENS)
    provider.begun = begun
    with pytest.raises(IdentityProviderError, match=r"begin|began"):
        await provider.run()


async def test_a_provider_without_the_flow_is_told() -> None:
    provider = Provider(TOKENS)
    provider.metadata = METADATA | {"device_authorization_endpoint": ""}
    with pytest.raises(IdentityProviderError, match="no device flow"):
        await provider.run()


async def test_a_server_cannot_name_a_provider_in_the_clear() -> None:
    with pytest.raises(ConfigError, match="https"):
        await Provider(TOKENS).login("http://idp.example.com").begin()


async def test_an_invitation_does_not_show_our_code() -> None:
    made: Callable[[], Any] = Provider(TOKENS).login().begin
    assert SECRET not in repr(await made())
