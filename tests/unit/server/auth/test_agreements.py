"""Settings of logins: what is wrong is said before anything is served."""

from pathlib import Path
from typing import Any

import pytest

from rollgraph.core.claims import Profile
from rollgraph.core.errors import ConfigError
from rollgraph.server.auth import agreements, wiring
from rollgraph.server.settings import Auth, AuthMode, Http, Oidc, Settings
from rollgraph.server.sources import load

URL = "https://idp.example.com"


def settings(*more: Oidc, http: Http | None = None, **first: Any) -> Settings:
    auth = Auth(mode=AuthMode.OIDC, issuers=more)
    own = Oidc(**{"issuer": URL, "cli_client_id": "cli", **first})
    return Settings(http=http or Http(), auth=auth, oidc=own)


def wrong(*more: Oidc, http: Http | None = None, **first: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        wiring.check(settings(*more, http=http, **first))
    return str(caught.value)


def test_somebody_must_vouch() -> None:
    assert "needs somebody who vouches" in wrong(issuer="")
    wiring.check(Settings(auth=Auth(mode=AuthMode.OIDC, service_accounts="hub")))
    wiring.check(Settings())


def test_tokens_must_be_meant_for_somebody() -> None:
    assert wrong(cli_client_id="").startswith(
        "oidc: expected audiences, client_id or cli_client_id: without any, tokens that "
    )
    assert "expected audiences: " in wrong(profile=Profile.RFC9068, client_id="browser")
    found = agreements.audiences(Oidc(issuer=URL, client_id="a", cli_client_id="b"))
    assert found == ("a", "b")
    assert agreements.audiences(Oidc(issuer=URL, client_id="a", audiences=("c",))) == ("c",)


@pytest.mark.parametrize("url", ["http://idp.example.com", "idp.example.com", "ftp://idp"])
def test_issuers_are_asked_over_tls(url: str) -> None:
    assert wrong(issuer=url).startswith("oidc.issuer")
    wiring.check(settings(issuer="http://127.0.0.1:8080"))


def test_two_providers_are_told_apart() -> None:
    other = "https://other.example.com"
    both: dict[str, Any] = {"issuer": other, "audiences": ("a",)}
    complaint = wrong(Oidc(**both))
    assert "auth.issuers.0.username_prefix: expected another than that of oidc; got ''" in complaint
    assert "auth.issuers.0.groups_prefix: " in complaint
    assert "groups_prefix" in wrong(Oidc(**both, username_prefix="b:"))
    wiring.check(settings(Oidc(**both, username_prefix="b:", groups_prefix="b:")))
    wiring.check(settings(Oidc(**both, username_prefix="b:", groups_claims=())))
    again = Oidc(issuer=URL, audiences=("a",), username_prefix="b:", groups_prefix="b:")
    assert "auth.issuers.0.issuer: expected another" in wrong(again)
    assert "auth.issuers.0.issuer: expected the provider's URL" in wrong(Oidc())


def test_a_claim_that_is_required_has_a_value() -> None:
    for text in ("hd", "hd=", "=x"):
        assert f"got {text!r}" in wrong(required_claims=(text,))
    found = agreements.issuer(Oidc(issuer=URL, required_claims=("hd=a=b", " c = d ")))
    assert found.required_claims == {"hd": "a=b", "c": "d"}


def test_files_must_be_there(tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    assert f"{missing} cannot be read" in wrong(client_secret_file=missing)
    assert f"oidc.ca_file: {missing} cannot be read" in wrong(ca_file=missing)
    missing.write_text("no certificate", "utf-8")
    assert "oidc.ca_file" in wrong(ca_file=missing)


def test_a_browser_must_know_where_to_come_back_to() -> None:
    assert wrong(client_id="a", http=Http(host="0.0.0.0")).startswith("http.url (--url)")
    wiring.check(settings(client_id="a"))
    url = "https://rollgraph.example.com"
    wiring.check(settings(client_id="a", http=Http(host="0.0.0.0", url=url)))
    in_the_clear = Http(host="0.0.0.0", url="http://rollgraph.example.com")
    assert "https" in wrong(client_id="a", http=in_the_clear)


def test_more_issuers_can_be_written_in_each_place(tmp_path: Path) -> None:
    expected = (Oidc(issuer=URL, audiences=("a", "b")),)
    text = f"{{issuer: {URL}, audiences: [a, b]}}"
    file = tmp_path / "settings.yaml"
    file.write_text(f"auth: {{issuers: [{text}]}}", "utf-8")
    assert load({}, {}, file).auth.issuers == expected
    assert load({"auth.issuers": [text]}, {}).auth.issuers == expected
    assert load({}, {"ROLLGRAPH_AUTH__ISSUERS": text}).auth.issuers == expected
    assert load({}, {"ROLLGRAPH_AUTH__ISSUERS": f"[{text}]"}).auth.issuers == expected


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{issuer: [}", "auth.issuers: expected a mapping in YAML or JSON"),
        ("{issuer: 1}", "auth.issuers.0.issuer: expected"),
        ("{isuer: x}", "auth.issuers.0.isuer: expected"),
    ],
)
def test_a_mapping_that_is_wrong_is_told_by_its_key(text: str, complaint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load({"auth.issuers": [text]}, {})
    assert str(caught.value).startswith(f"--issuer: {complaint}")
