"""Claims of a token in, viewer out."""

from datetime import UTC, datetime
from typing import Any

import pytest

from rollgraph.core.claims import MOST_GROUPS, Issuer, Profile, viewer
from rollgraph.core.errors import UnauthenticatedViewerError
from rollgraph.core.viewer import Login, Viewer

URL = "https://idp.example.com"


def of(claims: dict[str, Any], login: Login = Login.TOKEN, **agreed: Any) -> Viewer:
    return viewer({"sub": "1", "exp": 0} | claims, Issuer(URL, ("rollgraph",), **agreed), login)


def test_a_viewer_is_called_as_agreed() -> None:
    assert of({}).subject == "1"
    assert of({"exp": 60}).expires_at == datetime(1970, 1, 1, 0, 1, tzinfo=UTC)
    claims = {"email": "a@example.com", "upn": "a", "https://x.example.com/name": "b"}
    assert of(claims, username_claim="upn").subject == "a"
    assert of(claims, username_claim="upn", username_prefix="oidc:").subject == "oidc:a"
    assert of(claims, username_claim="email").subject == "a@example.com"
    assert of(claims, username_claim="https://x.example.com/name").subject == "b"
    nested = {"federated_claims": {"user_id": "c"}}
    assert of(nested, username_claim="federated_claims.user_id").subject == "c"


@pytest.mark.parametrize("name", [None, "", " ", 1, ["a"], {"a": 1}, "a\nb", "a\x1b[2J"])
def test_what_is_no_name_is_refused(name: Any) -> None:
    with pytest.raises(UnauthenticatedViewerError, match="no name in the claim upn"):
        of({"upn": name}, username_claim="upn")


@pytest.mark.parametrize(
    "name", ["system:admin", "system:serviceaccount:a:b", "role:admin", "proj:"]
)
def test_nobody_is_called_as_what_is_reserved(name: str) -> None:
    with pytest.raises(UnauthenticatedViewerError, match="reserved"):
        of({"sub": name})
    assert of({"sub": name}, username_prefix="oidc:").subject == f"oidc:{name}"
    with pytest.raises(UnauthenticatedViewerError, match="reserved"):
        of({"sub": name.partition(":")[2] or "x"}, username_prefix="system:")


@pytest.mark.parametrize("verified", [False, "true", None, 1])
def test_an_address_that_is_not_verified_is_no_name(verified: Any) -> None:
    claims = {"email": "a@example.com", "email_verified": verified}
    with pytest.raises(UnauthenticatedViewerError, match="not verified"):
        of(claims, username_claim="email")
    assert of(claims).email == "a@example.com"


def test_groups_are_where_they_are_said_to_be() -> None:
    assert of({"groups": ["a", "b", "a"]}).groups == ("a", "b")
    assert of({"groups": "a"}).groups == ("a",)
    assert of({"groups": ["a", 1, None, "", " ", ["b"]]}).groups == ("a",)
    assert of({"groups": {"a": 1}}).groups == ()
    assert of({}).groups == ()
    roles = {"realm_access": {"roles": ["a"]}, "groups": ["b"]}
    assert of(roles, groups_claims=("realm_access.roles",)).groups == ("a",)
    assert of(roles, groups_claims=("realm_access.roles", "groups")).groups == ("a", "b")
    assert of(roles, groups_claims=()).groups == ()
    assert of({"groups": ["a"]}, groups_prefix="oidc:").groups == ("oidc:a",)


def test_no_group_is_one_of_a_clusters_own() -> None:
    assert of({"groups": ["system:masters", "a"]}).groups == ("a",)
    assert of({"groups": ["masters"]}, groups_prefix="system:").groups == ()


def test_too_many_groups_are_a_mistake() -> None:
    groups = [str(number) for number in range(MOST_GROUPS)]
    assert len(of({"groups": groups}).groups) == MOST_GROUPS
    with pytest.raises(UnauthenticatedViewerError, match="more than"):
        of({"groups": [*groups, "one more"]})


@pytest.mark.parametrize(
    ("claims", "generic", "strict"),
    [
        ({}, None, set()),
        ({"scope": ""}, None, set()),
        ({"scope": "openid profile"}, None, set()),
        ({"scope": "openid rollouts:read"}, {"rollouts:read"}, {"rollouts:read"}),
        ({"scope": ["rollouts:read", 1]}, {"rollouts:read"}, {"rollouts:read"}),
        ({"scope": "rollouts:read rollouts:abort"}, {"rollouts:read", "rollouts:abort"}, None),
        ({"scope": "rollouts:everything"}, None, set()),
        ({"scope": {"rollouts:read": 1}}, None, set()),
    ],
)
def test_a_token_that_names_scopes_of_ours_is_narrowed_to_them(
    claims: dict[str, Any], generic: set[str] | None, strict: set[str] | None
) -> None:
    assert of(claims).scopes == generic
    expected = generic if strict is None else strict
    assert of(claims, profile=Profile.RFC9068).scopes == expected


def test_scopes_may_stand_elsewhere() -> None:
    assert of({"scp": "audit:read"}, scopes_claim="scp").scopes == frozenset({"audit:read"})


def test_a_browsers_login_is_not_narrowed() -> None:
    assert of({"scope": "rollouts:read"}, Login.SESSION).scopes is None


@pytest.mark.parametrize(
    ("claims", "required", "good"),
    [
        ({"hd": "example.com"}, {"hd": "example.com"}, True),
        ({"hd": "evil.com"}, {"hd": "example.com"}, False),
        ({}, {"hd": "example.com"}, False),
        ({"roles": ["a", "b"]}, {"roles": "b"}, True),
        ({"roles": ["a"]}, {"roles": "b"}, False),
        ({"roles": "ab"}, {"roles": "b"}, False),
        ({"a": {"b": "c"}}, {"a.b": "c"}, True),
        ({"mfa": True}, {"mfa": "true"}, True),
        ({"mfa": 1}, {"mfa": "true"}, False),
        ({"level": 2}, {"level": "2"}, True),
        ({"a": "1"}, {"a": "1", "b": "2"}, False),
        ({"a": None}, {"a": "None"}, True),
    ],
)
def test_required_claims_must_be_there(
    claims: dict[str, Any], required: dict[str, str], good: bool
) -> None:
    if good:
        assert of(claims, required_claims=required)
    else:
        with pytest.raises(UnauthenticatedViewerError, match="required"):
            of(claims, required_claims=required)


def test_what_is_only_shown_is_short_and_printable() -> None:
    assert of({"name": "Alice"}).name == "Alice"
    for name in (1, "a" * 257, "a\x1b[2J", None, ["a"]):
        assert of({"name": name}).name == ""
