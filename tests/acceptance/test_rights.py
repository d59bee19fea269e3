"""Who may not gets FORBIDDEN and the spoke no request; who may is named wherever one looks for it.

Rollgraph has the least rights that `rollgraph spoke manifest` prints, and acts in the name of
people whose tokens a real provider has signed. The spoke's own audit log is the witness.
"""

import json
import secrets
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml
from joserfc import jwt

from acceptance.gateway import ROLLGRAPH, Gateway
from acceptance.moments import HEALTHY, at
from idp.provider import AUDIENCE, Idp, running
from testbed.cluster import RBAC, Object
from testbed.deadline import wait_until
from testbed.fleet import Fleet
from testbed.metrics import metrics_server
from testbed.scenarios.manifests import canary, pause, rollout, weight
from testbed.scenarios.stage import Stage
from testbed.spoke import Spoke
from testbed.users import Access, write_kubeconfig

pytestmark = [pytest.mark.acceptance, pytest.mark.conformance, pytest.mark.timeout(300)]

NAME = "checkout"
OURSELVES = "system:serviceaccount:rollgraph:rollgraph"
REASON = "errors are flat\nsince\x1b[31m noon"
AUDIT = """
query Audit($filter: AuditEventFilter) {
  auditEvents(first: 1, filter: $filter) { nodes {
    subject issuer groups login verb target { cluster namespace name uid } reason
    decision refusedBy missingScopes result message patches actedAs requestId
    resourceVersionBefore resourceVersionAfter
  } }
}
"""
PROMOTE = """
mutation Promote($key: RolloutKeyInput!, $reason: String) {
  promoteRollout(input: {rollout: {key: $key}, reason: $reason}) {
    applied message resourceVersionAfter
    userErrors { __typename message ... on ForbiddenError { layer action missingScopes } }
  }
}
"""


class Person:
    """Somebody with a token of the provider.

    Args:
        claims: Of the token, in place of the usual ones.
    """

    def __init__(self, gateway: Gateway, idp: Idp, name: str, *groups: str, **claims: Any) -> None:
        now = int(time.time())
        usual = {"iss": idp.issuer, "sub": name, "aud": AUDIENCE, "iat": now, "exp": now + 600}
        told = usual | {"groups": list(groups)} | claims
        self.token = jwt.encode({"alg": "RS256", "kid": idp.key.kid}, told, idp.key)
        self._url = f"{gateway.url}/graphql"

    def ask(self, document: str, **variables: object) -> httpx2.Response:
        """The answer, errors and all."""
        body = {"query": document, "variables": variables}
        headers = {"Authorization": f"Bearer {self.token}"}
        return httpx2.post(self._url, json=body, headers=headers, timeout=60)


@dataclass(frozen=True)
class Desk:
    """A paused rollout of a spoke, Rollgraph over it, and people."""

    gateway: Gateway
    idp: Idp
    stage: Stage
    audit_file: Path

    @property
    def spoke(self) -> Spoke:
        return self.stage.spoke

    @property
    def key(self) -> dict[str, str]:
        return {"cluster": self.spoke.name, "namespace": self.stage.namespace, "name": NAME}

    def person(self, name: str, *groups: str, **claims: Any) -> Person:
        return Person(self.gateway, self.idp, name, *groups, **claims)

    def promote(self, person: Person, reason: str = "") -> tuple[dict[str, Any], str]:
        """What comes of a promotion, and the request's id."""
        answer = person.ask(PROMOTE, key=self.key, reason=reason)
        body = answer.json()
        assert "errors" not in body, body
        return body["data"]["promoteRollout"], answer.headers["x-request-id"]

    def row(self, **wanted: object) -> dict[str, Any]:
        """The newest row of the audit, as an admin sees it."""
        body = self.person("root").ask(AUDIT, filter=wanted).json()
        assert "errors" not in body, body
        (node,) = body["data"]["auditEvents"]["nodes"]
        return dict(node)

    def index(self) -> int:
        """How many steps are done, on the spoke."""
        found = self.spoke.cluster().get("Rollout", NAME, self.stage.namespace)
        return int(found["status"]["currentStepIndex"])

    def asked_for(self, request_id: str) -> list[Object]:
        """What the spoke was asked to do on account of a request, as its own audit log has it."""
        return [
            event
            for event in self.spoke.audit()
            if request_id in json.dumps(event.get("impersonatedUser", {}))
        ]

    def acted_on(self) -> list[Object]:
        """What the spoke was asked by Rollgraph about this very rollout."""
        return [
            event
            for event in self.spoke.audit()
            if event["user"]["username"] == OURSELVES
            and event.get("objectRef", {}).get("name", "").startswith(NAME)
            and event["objectRef"].get("namespace") == self.stage.namespace
        ]


@pytest.fixture(scope="module")
def idp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Idp]:
    with running(tmp_path_factory.mktemp("idp")) as started:
        yield started


@pytest.fixture(scope="module")
def namespace(fleet: Fleet) -> Iterator[str]:
    """Where the rollout is; Alice has rights there on the spoke itself, and Dave has none."""
    spoke = fleet["east"]
    name = spoke.namespace(f"rights-{secrets.token_hex(3)}")
    manifest = [str(ROLLGRAPH), "spoke", "manifest", "--user", "alice", "--user", "dave"]
    printed = subprocess.run(manifest, capture_output=True, text=True, check=True).stdout
    for found in yaml.safe_load_all(printed):
        spoke.cluster().apply(found)
    spoke.cluster().apply(
        {
            "apiVersion": RBAC,
            "kind": "RoleBinding",
            "metadata": {"name": "alice-acts", "namespace": name},
            "roleRef": {
                "apiGroup": "rbac.authorization.k8s.io",
                "kind": "ClusterRole",
                "name": "rollgraph-actions",
            },
            "subjects": [
                {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "alice"}
            ],
        }
    )
    yield name
    spoke.cluster().delete("Namespace", name)


@pytest.fixture(scope="module")
def desk(
    fleet: Fleet, idp: Idp, namespace: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Desk]:
    folder: Path = tmp_path_factory.mktemp("rights")
    spoke = fleet["east"]
    token = spoke.service_account_token("rollgraph", "rollgraph")
    access = Access(spoke.url, spoke.ca, "rollgraph", token)
    policy = folder / "policy.csv"
    here = f"east/{namespace}/*"
    policy.write_text(
        f"p, alice, rollouts, *, {here}, allow\n"
        f"p, dave, rollouts, *, {here}, allow\n"
        "p, bob, rollouts, get, *, allow\n"
        "g, root, role:admin\n"
    )
    flags = (
        *("--auth", "oidc", "--oidc-issuer", idp.issuer, "--oidc-audience", AUDIENCE),
        *("--policy", str(policy), "--audit-file", str(folder / "audit.jsonl")),
        *("--log-level", "debug", "--log-format", "json"),
    )
    with metrics_server() as metrics:
        stage = Stage(spoke, namespace, NAME, metrics)
        stage.apply(rollout(NAME, canary(weight(20), pause(), weight(60), pause())))
        stage.wait(HEALTHY, "it is healthy")
        stage.set_image("yellow")
        stage.wait(at(1, "Paused"), "it is paused")
        kubeconfig = write_kubeconfig(folder / "kubeconfig.yaml", {spoke.name: access})
        with Gateway(kubeconfig, folder, flags) as gateway:
            made = Desk(gateway, idp, stage, folder / "audit.jsonl")
            wait_until(lambda: _not_read(made), seconds=60, what="the rollout is read")
            yield made


def _not_read(desk: Desk) -> str | None:
    body = desk.person("root").ask("{ rollouts { nodes { phase } } }").json()
    return None if body["data"]["rollouts"]["nodes"] else str(body)


@pytest.mark.parametrize(
    ("name", "claims", "layer", "missing"),
    [
        ("bob", {}, "CASBIN", []),
        ("alice", {"scope": "rollouts:read rollouts:abort"}, "SCOPE", ["rollouts:promote"]),
    ],
)
def test_who_may_not_is_told_by_which_layer_and_the_spoke_is_not_asked(
    desk: Desk, name: str, claims: dict[str, Any], layer: str, missing: list[str]
) -> None:
    before, step = len(desk.acted_on()), desk.index()
    payload, request_id = desk.promote(desk.person(name, "shop", **claims), "I want to")
    assert payload["applied"] is False
    (error,) = payload["userErrors"]
    assert (error["__typename"], error["layer"]) == ("ForbiddenError", layer)
    assert (error["action"], error["missingScopes"]) == ("promote", missing)

    row = desk.row()
    assert (row["subject"], row["groups"], row["verb"]) == (name, ["shop"], "promote")
    assert (row["issuer"], row["login"]) == (desk.idp.issuer, "TOKEN")
    assert row["target"] == desk.key | {"uid": None}
    assert (row["decision"], row["refusedBy"], row["result"]) == ("REFUSED", layer, "REFUSED")
    assert (row["missingScopes"], row["reason"]) == (missing, "I want to")
    assert (row["requestId"], row["actedAs"]) == (request_id, None)

    until_noted(desk)
    assert len(desk.acted_on()) == before
    assert desk.asked_for(request_id) == []
    assert desk.index() == step


def until_noted(desk: Desk) -> None:
    """Until the spoke's audit log has all that was asked of it so far."""
    last = f"nobody-{secrets.token_hex(4)}"
    desk.spoke.cluster("reader").find("Rollout", last, desk.stage.namespace)

    def check() -> str | None:
        noted = any(last in event["requestURI"] for event in desk.spoke.audit())
        return None if noted else "not yet"

    wait_until(check, seconds=10, what="the audit log is written")


def test_a_refusal_of_the_spokes_own_is_told_as_such(desk: Desk) -> None:
    step = desk.index()
    payload, request_id = desk.promote(desk.person("dave"))
    (error,) = payload["userErrors"]
    assert (error["__typename"], error["layer"]) == ("ForbiddenError", "KUBERNETES_RBAC")
    row = desk.row(subject={"eq": "dave"})
    assert (row["refusedBy"], row["result"]) == ("KUBERNETES_RBAC", "REFUSED")
    assert (row["actedAs"], row["requestId"]) == ("dave", request_id)
    assert desk.index() == step


def test_who_may_is_named_in_the_audit_on_the_rollout_and_by_the_spoke(desk: Desk) -> None:
    step = desk.index()
    payload, request_id = desk.promote(desk.person("alice", "shop"), REASON)
    assert payload["userErrors"] == []
    assert payload["applied"] is True
    desk.stage.wait(at(3, "Paused"), "it is at the next pause")
    assert step == 1

    row = desk.row(subject={"eq": "alice"}, result=["APPLIED"])
    assert (row["verb"], row["decision"], row["refusedBy"]) == ("promote", "ALLOWED", None)
    assert (row["actedAs"], row["requestId"], row["reason"]) == ("alice", request_id, REASON)
    assert row["message"] == payload["message"]
    assert row["resourceVersionAfter"] == payload["resourceVersionAfter"]
    assert row["patches"][0].startswith(f"rollouts.argoproj.io/status {desk.stage.namespace}/")

    lines = [json.loads(line) for line in desk.audit_file.read_text("utf-8").splitlines()]
    (line,) = [line for line in lines if line.get("request_id") == request_id]
    assert (line["subject"], line["result"], line["reason"]) == ("alice", "APPLIED", REASON)

    asked = desk.asked_for(request_id)
    assert {event["impersonatedUser"]["username"] for event in asked} == {"alice"}
    assert {event["user"]["username"] for event in asked} == {OURSELVES}
    assert "patch" in {event["verb"] for event in asked}

    found = told(desk)
    assert found["message"].startswith(f"alice promoted: {payload['message']}"[:1000])
    assert found["message"].endswith(r"(reason: errors are flat\nsince\x1b[31m noon)")
    uid = desk.spoke.cluster().get("Rollout", NAME, desk.stage.namespace)["metadata"]["uid"]
    assert found["involvedObject"]["uid"] == uid == row["target"]["uid"]
    assert (found["type"], found["reportingComponent"]) == ("Normal", "rollgraph")
    wait_until(lambda: _not_shown(desk), seconds=10, what="our own watch has the Event")


def told(desk: Desk) -> Object:
    """The Event on the rollout, once it is there."""
    found: list[Object] = []

    def check() -> str | None:
        events = desk.spoke.cluster().list("Event", desk.stage.namespace)
        found[:] = [event for event in events if event["reason"] == "RollgraphPromote"]
        return None if found else f"only {[event['reason'] for event in events]}"

    wait_until(check, seconds=10, what="the Event is there")
    (event,) = found
    return event


def _not_shown(desk: Desk) -> str | None:
    document = """
    query Events($cluster: String!, $namespace: String!, $name: String!) {
      rollout(cluster: $cluster, namespace: $namespace, name: $name) {
        events(first: 50) { nodes { reason } }
      }
    }
    """
    body = desk.person("alice").ask(document, **desk.key).json()
    reasons = [event["reason"] for event in body["data"]["rollout"]["events"]["nodes"]]
    return None if "RollgraphPromote" in reasons else f"only {reasons}"


def test_the_audit_is_for_admins(desk: Desk) -> None:
    body = desk.person("alice").ask(AUDIT).json()
    assert body["data"] == {"auditEvents": None}
    (error,) = body["errors"]
    assert (error["extensions"]["code"], error["extensions"]["layer"]) == ("FORBIDDEN", "CASBIN")
    row = desk.row()
    assert (row["subject"], row["verb"], row["result"]) == ("alice", "read-audit", "REFUSED")
    body = desk.person("root", scope="rollouts:read").ask(AUDIT).json()
    assert body["errors"][0]["extensions"]["missingScopes"] == ["audit:read"]


def test_no_token_is_in_any_log(desk: Desk) -> None:
    person = desk.person("alice")
    spoilt = f"{person.token[:-8]}AAAAAAAA"
    person.ask("{ viewer { subject } }")
    wrong = httpx2.post(
        f"{desk.gateway.url}/graphql",
        json={"query": "{ viewer { subject } }"},
        headers={"Authorization": f"Bearer {spoilt}"},
    )
    assert wrong.status_code == 401 or "UNAUTHENTICATED" in wrong.text
    ours = yaml.safe_load((desk.audit_file.parent / "kubeconfig.yaml").read_text())
    kept = [person.token, spoilt, ours["users"][0]["user"]["token"]]
    written = desk.gateway.process.output() + desk.audit_file.read_text() + wrong.text
    assert '"level":"debug"' in written
    for secret in kept:
        # Neither whole nor the part that makes it good.
        assert secret not in written
        assert secret.rpartition(".")[2] not in written
