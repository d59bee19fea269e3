"""A client of a provider: what it makes of answers that a real one seldom gives."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import anyio
import httpx2
import pytest

from fakes.clock import LoopClock
from fakes.issuer import NOW, URL, FakeIssuer, at, claims, rsa, signed
from rollgraph.adapters.oidc.relyingparty import Client, RelyingParty
from rollgraph.core.claims import Issuer
from rollgraph.core.errors import IdentityProviderError, UnauthenticatedViewerError
from rollgraph.core.session import Grant, PendingLogin
from rollgraph.core.viewer import Viewer

ONE = rsa("one")
BACK = "https://rollgraph.example.com/auth/callback"
PENDING = PendingLogin("", "state", "nonce", "verifier" * 8)
ANSWER = {"code": "code", "state": "state"}
BEFORE = Grant(Viewer("alice", expires_at=at(0)), "id-token", "refresh", at(0))

Answer = Callable[[httpx2.Request], httpx2.Response]


def party(answer: Answer, **said: Any) -> RelyingParty:
    issuer = FakeIssuer([ONE])
    issuer.said = {
        "authorization_endpoint": f"{URL}/auth",
        "token_endpoint": f"{URL}/token",
        **said,
    }
    agreed = Issuer(URL, ("rollgraph",))
    client = Client("rollgraph", "secret", ("openid",))
    options = {"transport": httpx2.MockTransport(answer)}
    return RelyingParty(agreed, client, issuer.verifier(), options)


def tokens(**changes: Any) -> Answer:
    told = {"access_token": "a", "token_type": "Bearer", "expires_in": 300, **changes}
    given = {name: value for name, value in told.items() if value is not None}
    return lambda _: httpx2.Response(200, json=given)


def id_token(**changes: Any) -> str:
    return signed(ONE, claims(nonce="nonce", **changes))


async def test_a_code_becomes_a_grant() -> None:
    answer = tokens(id_token=id_token(), refresh_token="r")
    grant = await party(answer).finish(ANSWER, PENDING, BACK)
    assert grant.viewer.subject == "alice"
    assert (grant.refresh_token, grant.until) == ("r", at(600))


async def test_the_code_goes_with_its_verifier_and_the_secret_in_no_url() -> None:
    seen: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        return tokens(id_token=id_token())(request)

    await party(answer).finish(ANSWER, PENDING, BACK)
    (request,) = seen
    assert str(request.url) == f"{URL}/token"
    assert f"code_verifier={PENDING.verifier}" in request.content.decode()
    assert request.headers["authorization"].startswith("Basic ")


async def test_a_renewal_that_does_not_tell_who_it_is_is_of_the_same_person() -> None:
    now = LoopClock().now()
    grant = await party(tokens(expires_at=(now + timedelta(seconds=300)).timestamp())).renew(BEFORE)
    assert grant.viewer == Viewer("alice", expires_at=grant.until)
    assert (grant.id_token, grant.refresh_token) == ("id-token", "refresh")
    assert grant.until == at(300)


async def test_a_renewal_as_somebody_else_is_refused() -> None:
    answer = tokens(id_token=id_token(sub="bob"))
    with pytest.raises(UnauthenticatedViewerError, match="somebody else"):
        await party(answer).renew(BEFORE)


@pytest.mark.parametrize(
    ("answer", "kind", "reason"),
    [
        (tokens(), UnauthenticatedViewerError, "no ID token"),
        (tokens(id_token=id_token(exp=NOW - 60)), UnauthenticatedViewerError, "expired"),
        (tokens(id_token=id_token(aud="x")), UnauthenticatedViewerError, "not meant"),
        (
            lambda _: httpx2.Response(400, json={"error": "invalid_grant"}),
            UnauthenticatedViewerError,
            "refused: invalid_grant",
        ),
        (
            lambda _: httpx2.Response(401, json={"error": "invalid_client"}),
            IdentityProviderError,
            "refused us as a client: invalid_client",
        ),
        (
            lambda _: httpx2.Response(400, json={"error": "code <script>"}),
            IdentityProviderError,
            "an unknown error",
        ),
        (lambda _: httpx2.Response(500), IdentityProviderError, "cannot be asked"),
        (lambda _: httpx2.Response(200, content=b"<html>"), IdentityProviderError, "no JSON"),
        (
            lambda _: httpx2.Response(302, headers={"location": "https://evil.example.com"}),
            IdentityProviderError,
            "cannot be asked|no JSON",
        ),
    ],
    ids=["none", "old", "other", "grant", "client", "odd", "500", "html", "redirect"],
)
async def test_what_is_no_grant_is_refused(
    answer: Answer, kind: type[Exception], reason: str
) -> None:
    with pytest.raises(kind, match=reason):
        await party(answer).finish(ANSWER, PENDING, BACK)


async def test_a_provider_that_says_who_it_is_must_do_so() -> None:
    strict = party(tokens(id_token=id_token()), authorization_response_iss_parameter_supported=True)
    with pytest.raises(UnauthenticatedViewerError, match="iss"):
        await strict.finish(ANSWER, PENDING, BACK)
    assert await strict.finish(ANSWER | {"iss": URL}, PENDING, BACK)


async def test_a_silent_provider_is_not_waited_for() -> None:
    async def silent(_: httpx2.Request) -> httpx2.Response:
        await anyio.sleep(3600)
        return httpx2.Response(200)

    waiting: Any = silent
    with pytest.raises(IdentityProviderError, match="5 s"):
        await party(waiting).finish(ANSWER, PENDING, BACK)


async def test_a_logout_leads_to_the_provider_without_a_token() -> None:
    way = await party(tokens(), end_session_endpoint=f"{URL}/end?a=1").farewell("https://r/graphql")
    assert way == (
        f"{URL}/end?a=1&client_id=rollgraph&post_logout_redirect_uri=https%3A%2F%2Fr%2Fgraphql"
    )
    assert await party(tokens()).farewell("https://r/graphql") == ""
