"""An issuer's keys: fetched ahead of time, seldom, and believed while the issuer is down."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import httpx2
import pytest

from fakes.issuer import NOW, URL, FakeIssuer, claims, rsa, signed
from rollgraph.adapters.oidc import fetching, keys
from rollgraph.adapters.oidc.verifier import OidcVerifier
from rollgraph.core.errors import ConfigError, IdentityProviderError, UnauthenticatedViewerError

ONE, TWO = rsa("one"), rsa("two")
# Both documents.
ONCE = 2
LONG = {"exp": NOW + 7 * 24 * 3600}


@pytest.fixture
def issuer() -> FakeIssuer:
    return FakeIssuer([ONE])


@asynccontextmanager
async def running(issuer: FakeIssuer) -> AsyncIterator[OidcVerifier]:
    verifier = issuer.verifier()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(verifier.run)
        await anyio.sleep(0.1)
        yield verifier
        tasks.cancel_scope.cancel()


@pytest.mark.parametrize(
    ("said", "life"),
    [
        ("", 300),
        ("no-store", 300),
        ("max-age=10", 300),
        ("public, max-age=1000", 1000),
        ("max-age=21600", 3600),
        ("max-age=nonsense", 300),
    ],
)
async def test_they_live_as_long_as_the_issuer_says_within_bounds_and_are_renewed_ahead(
    issuer: FakeIssuer, said: str, life: float
) -> None:
    issuer.cache_control = said
    async with running(issuer):
        assert len(issuer.requests) == ONCE
        await anyio.sleep(life * 0.8 - 1)
        assert len(issuer.requests) == ONCE
        await anyio.sleep(2)
        assert len(issuer.requests) == 2 * ONCE


async def test_many_callers_cause_one_fetch(issuer: FakeIssuer) -> None:
    verifier = issuer.verifier()
    async with anyio.create_task_group() as tasks:
        for number in range(50):
            tasks.start_soon(verifier.verify, signed(ONE, claims(sub=f"user-{number}")))
    assert len(issuer.requests) == ONCE


async def test_a_new_key_is_known_at_its_first_token(issuer: FakeIssuer) -> None:
    async with running(issuer) as verifier:
        await anyio.sleep(keys.BETWEEN)
        issuer.keys = [TWO]
        assert await verifier.verify(signed(TWO, claims()))
        assert len(issuer.requests) == 2 * ONCE


async def test_made_up_key_ids_cause_a_fetch_every_ten_seconds_at_most(issuer: FakeIssuer) -> None:
    async with running(issuer) as verifier:
        for number in range(100):
            with pytest.raises(UnauthenticatedViewerError, match="no key"):
                await verifier.verify(signed(TWO, claims(), kid=f"made-up-{number}"))
            await anyio.sleep(0.5)
        # 50 s, and nothing was due by itself.
        assert ONCE * 5 <= len(issuer.requests) <= ONCE * 6


async def test_what_was_withdrawn_is_not_believed_any_more(issuer: FakeIssuer) -> None:
    async with running(issuer) as verifier:
        token = signed(ONE, claims(**LONG))
        assert await verifier.verify(token)
        issuer.keys = [TWO]
        await anyio.sleep(keys.SHORTEST_LIFE)
        with pytest.raises(UnauthenticatedViewerError, match="no key"):
            await verifier.verify(token)


async def test_while_the_issuer_is_down_its_keys_are_believed_for_a_day(issuer: FakeIssuer) -> None:
    async with running(issuer) as verifier:
        issuer.down = True
        await anyio.sleep(24 * 3600 - 60)
        assert await verifier.verify(signed(ONE, claims(**LONG)))
        await anyio.sleep(120)
        with pytest.raises(IdentityProviderError, match="24 hours"):
            await verifier.verify(signed(ONE, claims(**LONG, jti="another")))
        with pytest.raises(IdentityProviderError, match="24 hours"):
            await verifier.verify(signed(ONE, claims(**LONG)))
        issuer.down = False
        await anyio.sleep(keys.BETWEEN)
        assert await verifier.verify(signed(ONE, claims(**LONG)))


async def test_an_issuer_that_never_answered_lets_nobody_in_and_nobody_wait(
    issuer: FakeIssuer,
) -> None:
    issuer.down = True
    verifier = issuer.verifier()
    for number in range(10):
        with pytest.raises(IdentityProviderError, match=re.escape(URL)):
            await verifier.verify(signed(ONE, claims(jti=str(number))))
    assert len(issuer.requests) == 1


async def test_an_unknown_key_of_an_issuer_that_is_down_cannot_be_told(issuer: FakeIssuer) -> None:
    async with running(issuer) as verifier:
        await anyio.sleep(keys.BETWEEN)
        issuer.down = True
        with pytest.raises(IdentityProviderError):
            await verifier.verify(signed(TWO, claims()))


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"issuer": f"{URL}/"}, "another issuer"),
        ({"issuer": "https://evil.example.com"}, "another issuer"),
        ({"jwks_uri": "http://idp.example.com/keys"}, "https"),
        ({"jwks_uri": "file:///etc/passwd"}, "host|https"),
        ({"jwks_uri": None}, "metadata"),
        ({"token_endpoint": "http://idp.example.com/token"}, "https"),
    ],
)
async def test_metadata_that_lead_astray_are_not_followed(
    issuer: FakeIssuer, said: dict[str, Any], reason: str
) -> None:
    issuer.said = said
    with pytest.raises(IdentityProviderError, match=reason):
        await issuer.verifier().verify(signed(ONE, claims()))
    assert len(issuer.requests) == 1


def transport(*answers: httpx2.Response) -> dict[str, Any]:
    left = list(answers)
    return {"transport": httpx2.MockTransport(lambda _: left.pop(0))}


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (httpx2.Response(500), "HTTP 500"),
        (httpx2.Response(204), "HTTP 204"),
        (httpx2.Response(200, content=b"<html>"), "no JSON object"),
        (httpx2.Response(200, content=b"[]"), "no JSON object"),
        (httpx2.Response(200, content=b" " * (fetching.LARGEST + 1)), "more than 256 KiB"),
        (httpx2.Response(302, headers={"location": "https://evil.example.com/"}), "another host"),
        (httpx2.Response(302, headers={"location": "http://idp.example.com/x"}), "another host"),
        (httpx2.Response(307, headers={"location": "//evil.example.com/"}), "another host"),
    ],
    ids=["500", "204", "html", "list", "large", "elsewhere", "out of TLS", "no scheme"],
)
async def test_an_answer_that_is_none_is_refused(answer: httpx2.Response, reason: str) -> None:
    with pytest.raises(IdentityProviderError, match=reason):
        await fetching.get(transport(answer), f"{URL}/keys", URL)


async def test_a_path_may_have_moved_but_not_in_circles() -> None:
    moved = httpx2.Response(301, headers={"location": "/elsewhere"})
    found = httpx2.Response(200, json={"a": 1})
    assert (await fetching.get(transport(moved, found), f"{URL}/x", URL)).content == {"a": 1}
    with pytest.raises(IdentityProviderError, match="circles"):
        await fetching.get(transport(*[moved] * 4), f"{URL}/x", URL)


async def test_a_silent_issuer_is_not_waited_for() -> None:
    async def silent(_: httpx2.Request) -> httpx2.Response:
        await anyio.sleep(3600)
        return httpx2.Response(200)

    start = anyio.current_time()
    with pytest.raises(IdentityProviderError, match="5 s"):
        await fetching.get({"transport": httpx2.MockTransport(silent)}, URL, URL)
    assert anyio.current_time() - start == pytest.approx(fetching.TIMEOUT)


@pytest.mark.parametrize(
    "url", ["http://idp.example.com", "ftp://a", "idp.example.com", "https://a:b@c", "https://", ""]
)
def test_tokens_are_not_asked_for_in_the_clear(url: str) -> None:
    with pytest.raises(ConfigError):
        fetching.check_url(url, "oidc.issuer")


@pytest.mark.parametrize("url", ["https://a", "http://127.0.0.1:8080", "http://localhost/x"])
def test_https_and_loopback_are_spoken_with(url: str) -> None:
    fetching.check_url(url, "oidc.issuer")
