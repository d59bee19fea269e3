"""Tokens: good ones are known, forged ones refused, and what can be told offline costs nothing."""

import base64
import hmac
import json
import re
from collections.abc import Callable
from typing import Any

import anyio
import pytest
from joserfc import jws
from joserfc.errors import SecurityWarning
from joserfc.jwk import OctKey, RSAKey

from fakes.issuer import NOW, URL, FakeIssuer, at, claims, ec, rsa, signed
from rollgraph.core.claims import Profile
from rollgraph.core.errors import ConfigError, UnauthenticatedViewerError
from rollgraph.core.viewer import Login, Viewer

ONE = rsa("one")
STRANGER = rsa("one")  # another key by the same name


@pytest.fixture
def issuer() -> FakeIssuer:
    return FakeIssuer([ONE, ec("two")])


def part(content: object) -> str:
    text = content if isinstance(content, bytes) else json.dumps(content).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


async def refused(issuer: FakeIssuer, token: str, reason: str, **agreed: Any) -> None:
    with pytest.raises(UnauthenticatedViewerError, match=reason) as caught:
        await issuer.verifier(**agreed).verify(token)
    message = str(caught.value)
    # Nothing of the token is repeated, in whatever form.
    for piece in filter(lambda piece: len(piece) > 8, re.split(r"[.\s]", token)):
        assert piece not in message


async def test_a_good_token_tells_its_viewer(issuer: FakeIssuer) -> None:
    token = signed(ONE, claims(name="Alice", email="alice@example.com"))
    assert await issuer.verifier().verify(token) == Viewer(
        "alice",
        ("deployers",),
        URL,
        Login.TOKEN,
        name="Alice",
        email="alice@example.com",
        scopes=None,
        expires_at=at(600),
    )


async def test_each_key_of_the_issuer_signs(issuer: FakeIssuer) -> None:
    verifier = issuer.verifier()
    for key in issuer.keys:
        assert (await verifier.verify(signed(key, claims()))).subject == "alice"


async def test_a_token_without_a_key_id_is_known_if_one_key_fits(issuer: FakeIssuer) -> None:
    token = signed(ONE, claims(), kid=None)
    assert (await issuer.verifier().verify(token)).subject == "alice"
    issuer.keys.append(rsa("three"))
    await refused(issuer, token, "no key of the issuer")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"exp": NOW - 31}, "expired"),
        ({"exp": None}, "lacks a claim: exp"),
        ({"exp": "never"}, "no time"),
        ({"exp": True}, "no time"),
        ({"nbf": NOW + 31}, "not valid yet"),
        ({"iat": NOW + 31}, "future"),
        ({"aud": "another"}, "not meant for Rollgraph"),
        ({"aud": ["another", "third"]}, "not meant for Rollgraph"),
        ({"aud": {"rollgraph": 1}}, "not meant for Rollgraph"),
        ({"aud": []}, "not meant for Rollgraph"),
        ({"aud": None}, "lacks a claim: aud"),
        ({"sub": None}, "lacks a claim: sub"),
        ({"iss": f"{URL}/"}, "none that is trusted"),
        ({"iss": "https://elsewhere.example.com"}, "none that is trusted"),
        ({"iss": [URL]}, "none that is trusted"),
        ({"iss": None}, "none that is trusted"),
        ({"cnf": {"jkt": "x"}}, "bound to a key"),
    ],
)
async def test_claims_that_are_not_as_agreed_cost_no_request(
    issuer: FakeIssuer, changes: dict[str, Any], reason: str
) -> None:
    await refused(issuer, signed(ONE, claims(**changes)), reason)
    assert issuer.requests == []


@pytest.mark.parametrize("changes", [{"exp": NOW - 29}, {"nbf": NOW + 29}, {"iat": NOW + 29}])
async def test_clocks_may_differ_by_half_a_minute(
    issuer: FakeIssuer, changes: dict[str, Any]
) -> None:
    assert await issuer.verifier().verify(signed(ONE, claims(**changes)))


async def test_what_was_changed_after_signing_is_refused(issuer: FakeIssuer) -> None:
    header, _, signature = signed(ONE, claims()).split(".")
    changed = part(claims(sub="root", groups=["admins"]))
    await refused(issuer, f"{header}.{changed}.{signature}", "signature is wrong")


async def test_another_key_by_the_same_name_is_refused(issuer: FakeIssuer) -> None:
    await refused(issuer, signed(STRANGER, claims()), "signature is wrong")


@pytest.mark.parametrize("none", ["none", "None", "NONE", "nOnE", ""])
async def test_no_signature_is_no_way_in(issuer: FakeIssuer, none: str) -> None:
    token = f"{part({'alg': none, 'kid': 'one', 'typ': 'JWT'})}.{part(claims())}."
    await refused(issuer, token, "algorithm")
    assert issuer.requests == []


async def test_a_good_header_with_an_empty_signature_is_refused(issuer: FakeIssuer) -> None:
    header, payload, _ = signed(ONE, claims()).split(".")
    await refused(issuer, f"{header}.{payload}.", "signature")


async def test_the_public_key_is_no_secret_that_could_sign(issuer: FakeIssuer) -> None:
    # HS256 by hand, as an attacker has it: libraries refuse to take a public key for a secret.
    for public in (ONE.as_pem(private=False), json.dumps(ONE.as_dict(private=False)).encode()):
        start = f"{part({'alg': 'HS256', 'kid': 'one', 'typ': 'JWT'})}.{part(claims())}"
        signature = hmac.digest(public, start.encode(), "sha256")
        await refused(issuer, f"{start}.{part(signature)}", "algorithm")
    assert issuer.requests == []


async def test_a_published_secret_signs_nothing(issuer: FakeIssuer) -> None:
    secret = OctKey.generate_key(256, {"kid": "shared"})
    issuer.keys.append(secret)
    token = jws.serialize_compact(
        {"alg": "HS256", "kid": "shared"}, json.dumps(claims()), secret, algorithms=["HS256"]
    )
    await refused(issuer, token, "algorithm")


@pytest.mark.parametrize(
    "kid",
    [
        "unknown",
        "../../../../dev/null",
        "/dev/null",
        "one' OR '1'='1",
        "one\x00",
        "https://evil.example.com/keys",
        "",
    ],
)
async def test_a_key_id_is_a_name_and_nothing_else(issuer: FakeIssuer, kid: str) -> None:
    await refused(issuer, signed(STRANGER, claims(), kid=kid), "no key of the issuer")
    assert all(url.startswith(URL) for url in issuer.requests)


@pytest.mark.parametrize("kid", [1, ["one"], {"one": 1}, True])
async def test_a_key_id_that_is_no_text_is_refused(issuer: FakeIssuer, kid: Any) -> None:
    signature = signed(ONE, claims()).rpartition(".")[2]
    token = f"{part({'alg': 'RS256', 'kid': kid})}.{part(claims())}.{signature}"
    await refused(issuer, token, "key id|compact form")


@pytest.mark.parametrize("header", ["jku", "x5u", "jwk", "x5c"])
async def test_a_token_brings_no_key_of_its_own(issuer: FakeIssuer, header: str) -> None:
    own: dict[str, Any] = {
        "jku": "https://evil.example.com/keys",
        "x5u": "https://evil.example.com/cert",
        "jwk": STRANGER.as_dict(private=False),
        "x5c": ["MIIB"],
    }
    await refused(issuer, signed(STRANGER, claims(), **{header: own[header]}), "signature is wrong")
    assert all(url.startswith(URL) for url in issuer.requests)


@pytest.mark.parametrize("header", [{"crit": ["exp"]}, {"crit": ["b64"], "b64": False}])
async def test_what_must_be_understood_and_is_not_is_refused(
    issuer: FakeIssuer, header: dict[str, Any]
) -> None:
    signature = signed(ONE, claims()).rpartition(".")[2]
    token = f"{part({'alg': 'RS256', 'kid': 'one'} | header)}.{part(claims())}.{signature}"
    await refused(issuer, token, "extension|compact form|no JSON")


@pytest.mark.parametrize("typ", ["logout+jwt", "dpop+jwt", "secevent+jwt", "JOSE", "rt+jwt"])
async def test_a_token_for_something_else_is_refused(issuer: FakeIssuer, typ: str) -> None:
    await refused(issuer, signed(ONE, claims(), typ=typ), "typ")
    assert issuer.requests == []


@pytest.mark.parametrize("typ", [None, "JWT", "at+jwt", "application/at+jwt", "AT+JWT"])
async def test_generic_providers_call_tokens_this_or_that(
    issuer: FakeIssuer, typ: str | None
) -> None:
    assert await issuer.verifier().verify(signed(ONE, claims(), typ=typ))


async def test_a_long_token_is_not_even_read(issuer: FakeIssuer) -> None:
    await refused(issuer, signed(ONE, claims(pad="x" * 16 * 1024)), "longer than 16 KiB")
    assert issuer.requests == []


SPOILT: dict[str, Callable[[str], str]] = {
    "padded": lambda token: token + "=",
    "padded twice": lambda token: token + "==",
    "a line end within": lambda token: token.replace(".", ".\n", 1),
    "a line end after": lambda token: token + "\n",
    "a part more": lambda token: token + ".",
    "a part before": lambda token: f".{token}",
    "a part less": lambda token: token.rpartition(".")[0],
    "a part between": lambda token: token.replace(".", "..", 1),
    "plus": lambda token: token[:5] + "+" + token[6:],
    "slash": lambda token: token[:5] + "/" + token[6:],
    "no ASCII": lambda token: token[:5] + "é" + token[6:],
    "a letter": lambda _: "a",
    "three letters": lambda _: "a.b.c",
    "as JSON": lambda token: json.dumps({"payload": token.split(".")[1], "signatures": []}),
}


@pytest.mark.parametrize("spoil", SPOILT)
async def test_another_form_of_a_good_token_is_none(issuer: FakeIssuer, spoil: str) -> None:
    await refused(issuer, SPOILT[spoil](signed(ONE, claims())), "token|form|signature")


async def test_a_signature_has_one_form_only(issuer: FakeIssuer) -> None:
    # The last letter of 256 bytes has two bits that say nothing; changing them must not go unseen.
    token = signed(ONE, claims())
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    other = alphabet[alphabet.index(token[-1]) | 1]
    await refused(issuer, token[:-1] + other, "signature|form")


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(claims())[:-1] + ', "sub": "root"}',
        json.dumps(claims())[:-1] + ', "exp": Infinity}',
        json.dumps([claims()]),
        '"alice"',
        "null",
        "{",
    ],
)
async def test_what_two_readers_could_read_differently_is_refused(
    issuer: FakeIssuer, text: str
) -> None:
    await refused(issuer, signed(ONE, text), "form|objects")


async def test_a_claim_that_is_no_number_at_all_is_refused(issuer: FakeIssuer) -> None:
    text = json.dumps(claims(exp=None))[:-1] + ', "exp": 1e999}'
    await refused(issuer, signed(ONE, text), "no time|form")


async def test_deep_nesting_is_refused_and_nothing_breaks(issuer: FakeIssuer) -> None:
    await refused(issuer, signed(ONE, "[" * 5000 + "]" * 5000), "form|objects")


async def test_a_weak_key_signs_nothing(issuer: FakeIssuer) -> None:
    with pytest.warns(SecurityWarning):
        weak = RSAKey.generate_key(1024, {"kid": "weak"})
    issuer.keys.append(weak)
    await refused(issuer, signed(weak, claims()), "no key of the issuer")


@pytest.mark.parametrize("parameters", [{"use": "enc"}, {"alg": "RS512", "use": "sig"}])
async def test_a_key_for_something_else_signs_nothing(
    issuer: FakeIssuer, parameters: dict[str, str]
) -> None:
    other = RSAKey.generate_key(2048, {"kid": "other", "use": "sig"})
    token = signed(other, claims())
    marked = RSAKey.import_key({**other.as_dict(private=False), **parameters})
    issuer.keys.append(marked)
    await refused(issuer, token, "no key of the issuer")


async def test_rfc9068_takes_access_tokens_alone(issuer: FakeIssuer) -> None:
    strict = {"profile": Profile.RFC9068}
    full = claims(jti="1", client_id="portal", scope="rollouts:read")
    token = signed(ONE, full, typ="at+jwt")
    viewer = await issuer.verifier(**strict).verify(token)
    assert viewer.scopes == frozenset({"rollouts:read"})
    await refused(issuer, signed(ONE, full), "typ", **strict)
    await refused(issuer, signed(ONE, full, typ="JWT"), "typ", **strict)
    for name in ("jti", "client_id", "iat"):
        lacking = signed(ONE, full | {name: None}, typ="at+jwt")
        await refused(issuer, lacking, f"lacks a claim: {name}", **strict)


async def test_an_issuer_without_an_audience_is_a_mistake(issuer: FakeIssuer) -> None:
    with pytest.raises(ConfigError, match="audience"):
        issuer.verifier(audiences=())


async def test_a_known_token_is_not_checked_again_and_ends_on_time(issuer: FakeIssuer) -> None:
    verifier = issuer.verifier()
    token = signed(ONE, claims(exp=NOW + 60))
    assert await verifier.verify(token) is await verifier.verify(token)
    await anyio.sleep(89)
    assert await verifier.verify(token)
    await anyio.sleep(2)
    with pytest.raises(UnauthenticatedViewerError, match="expired"):
        await verifier.verify(token)


async def test_a_login_is_of_its_client_and_its_beginning(issuer: FakeIssuer) -> None:
    verifier = issuer.verifier()
    agreed = verifier._issuers[URL][0]
    token = signed(ONE, claims(aud="browser", nonce="n"))
    viewer, _ = await verifier.verify_login(token, agreed, "browser", "n")
    assert viewer.login is Login.SESSION
    for client, nonce, changes in (
        ("browser", "other", {}),
        ("other", "n", {}),
        ("browser", "n", {"azp": "other", "aud": ["browser", "other"]}),
        ("browser", "n", {"nonce": None}),
    ):
        bad = signed(ONE, claims(aud="browser", nonce="n") | changes)
        with pytest.raises(UnauthenticatedViewerError):
            await verifier.verify_login(bad, agreed, client, nonce)
