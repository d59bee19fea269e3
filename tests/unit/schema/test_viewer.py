"""Who asks, as the gateway knows them."""

from datetime import timedelta

from fakes.rights import Some
from rollgraph.access.caller import Caller
from rollgraph.core.verbs import Scope, Verb
from rollgraph.core.viewer import Login, Viewer
from rollgraph.schema.context import Context
from unit.schema.asking import NOW, Fleet, fleet

WHO = "{ viewer { subject name email groups issuer login scopes expiresAt } }"


def asked_by(rights: Some) -> Fleet:
    made = fleet()
    context = Context(made.mirror, NOW, timedelta(seconds=10), caller=Caller(rights, "a-token"))
    return Fleet(made.mirror, context)


def test_a_viewer_learns_who_they_are() -> None:
    ann = Viewer(
        "ann@example.com",
        groups=("shop", "oncall"),
        issuer="https://idp.example.com",
        login=Login.SESSION,
        name="Ann",
        email="ann@example.com",
        scopes=frozenset({Scope.READ, Scope.PROMOTE}),
        expires_at=NOW + timedelta(hours=1),
    )
    assert asked_by(Some(viewer=ann)).ask(WHO)["viewer"] == {
        "subject": "ann@example.com",
        "name": "Ann",
        "email": "ann@example.com",
        "groups": ["shop", "oncall"],
        "issuer": "https://idp.example.com",
        "login": "SESSION",
        "scopes": ["rollouts:promote", "rollouts:read"],
        "expiresAt": "2026-05-12T10:02:00Z",
    }


def test_without_a_login_there_is_somebody_too() -> None:
    made = fleet()
    viewer = made.ask("{ viewer { subject login scopes issuer permissions { action object } } }")
    assert viewer["viewer"] == {
        "subject": "local",
        "login": "NONE",
        "scopes": None,
        "issuer": None,
        "permissions": [{"action": "*", "object": "*"}],
    }


def test_a_token_for_nothing_still_tells_whose_it_is() -> None:
    assert asked_by(Some().narrowed()).ask("{ viewer { subject scopes } }")["viewer"] == {
        "subject": "ann@example.com",
        "scopes": [],
    }


def test_a_viewer_learns_what_the_policy_says_of_them() -> None:
    document = (
        '{ viewer { permissions(cluster: "east") { resource action object effect project } } }'
    )
    viewer = asked_by(Some(verbs=[Verb.ABORT])).ask(document)["viewer"]
    assert viewer["permissions"] == [
        {
            "resource": "rollouts",
            "action": "abort",
            "object": "*",
            "effect": "ALLOW",
            "project": None,
        }
    ]
