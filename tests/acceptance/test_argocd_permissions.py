"""Who may do what is what Argo CD says, of the rollouts that its Applications truly have."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx2
import pytest
from joserfc import jwt

from acceptance.argocd import ArgoCd, by_token
from acceptance.gateway import Gateway
from idp.provider import Idp, running
from testbed.cluster import Object
from testbed.deadline import wait_until
from testbed.fleet import Fleet
from testbed.scenarios.manifests import canary, pause, pod_spec, rollout, weight
from testbed.spoke import Spoke

pytestmark = [pytest.mark.acceptance, pytest.mark.conformance, pytest.mark.timeout(300)]

NAMESPACE = "argocd-shop"
CLIENT = "rollgraph"
TRACKING = "argocd.argoproj.io/tracking-id"
ARTICLE = "p, role:team-my-team, applications, action/argoproj.io/Rollout/*, {object}, allow"
READ = "p, role:team-my-team, applications, get, my-project/*, allow"
GRANT = "g, my-team, role:team-my-team"
FLAGS = (
    *("--argocd-namespace", "argocd", "--argocd-context", "hub"),
    *("--auth", "oidc", "--identity", "serviceAccount"),
)
SEEN = "{ rollouts { nodes { cluster { name } name } } }"
PROMOTE = """
mutation($cluster: String!, $name: String!, $namespace: String!) {
  promoteRollout(
    input: {rollout: {key: {cluster: $cluster, namespace: $namespace, name: $name}}}
  ) {
    applied
    userErrors { __typename message }
  }
}
"""
# The rollouts, each with the application that it says it belongs to. Argo CD manages `checkout` on
# west, and nothing else.
TRUE, FORGED, ELSEWHERE, PLAIN = (
    ("west", "checkout"),
    ("west", "forged"),
    ("east", "checkout"),
    ("west", "plain"),
)
CLAIMS = {TRUE: "checkout", FORGED: "checkout", ELSEWHERE: "checkout", PLAIN: ""}
SOON = 30.0


@pytest.fixture(scope="module")
def idp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Idp]:
    """The provider that Argo CD trusts."""
    with running(tmp_path_factory.mktemp("idp")) as started:
        yield started


@pytest.fixture(scope="module")
def argocd(fleet: Fleet, idp: Idp) -> Iterator[ArgoCd]:
    """An Argo CD on `east` with one application on `west`."""
    made = ArgoCd(fleet["east"])
    made.install()
    settings = {
        "cluster.inClusterEnabled": "false",
        "oidc.config": f"issuer: {idp.issuer}\nclientID: {CLIENT}\n",
    }
    made.config_map("argocd-cm", settings)
    for name, spoke in fleet.spokes.items():
        made.cluster(name, by_token(spoke, "admin"), name=name, server=spoke.url)
    made.project("my-project")
    destination = {"server": fleet["west"].url, "namespace": NAMESPACE}
    made.application("checkout", "my-project", destination, f"{NAMESPACE}/checkout")
    policy(made)
    yield made
    for name in fleet.spokes:
        made.delete("Secret", name)
    made.delete("Application", "checkout")
    made.config_map("argocd-cm", {"cluster.inClusterEnabled": "false"})
    made.config_map("argocd-rbac-cm", {})


@pytest.fixture(scope="module")
def paused(fleet: Fleet) -> None:
    """Every rollout waits at its first step for somebody to promote it."""
    for cluster, name in CLAIMS:
        apply(fleet[cluster], name, CLAIMS[cluster, name])
    for cluster, name in CLAIMS:
        wait_phase(fleet[cluster], name, "Healthy")
        spec = {"spec": {"template": {"spec": pod_spec("yellow")}}}
        fleet[cluster].cluster().patch("Rollout", name, spec, NAMESPACE)
    for cluster, name in CLAIMS:
        wait_phase(fleet[cluster], name, "Paused")


@pytest.fixture(scope="module")
def beside(
    argocd: ArgoCd, paused: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    """`rollgraph serve --argocd-namespace argocd --auth oidc`: no issuer, no policy, no cluster."""
    folder: Path = tmp_path_factory.mktemp("permissions")
    with Gateway(argocd.kubeconfig(folder / "hub.yaml"), folder, FLAGS) as started:
        yield started


def apply(spoke: Spoke, name: str, application: str) -> None:
    spoke.namespace(NAMESPACE)
    manifest = rollout(name, canary(weight(20), pause(), weight(60), pause()))
    claim = f"{application}:argoproj.io/Rollout:{NAMESPACE}/{name}"
    manifest["metadata"] |= {
        "namespace": NAMESPACE,
        "annotations": {TRACKING: claim} if application else {},
    }
    spoke.cluster().apply(manifest)


def wait_phase(spoke: Spoke, name: str, phase: str) -> None:
    def reached(found: Object) -> bool:
        status = found.get("status", {})
        observed = status.get("observedGeneration") == str(found["metadata"]["generation"])
        return bool(observed and status.get("phase") == phase)

    spoke.cluster().wait_for("Rollout", name, reached, NAMESPACE, what=phase)


def policy(argocd: ArgoCd, *lines: str, default: str = "") -> None:
    text = "\n".join((*lines, GRANT))
    argocd.config_map("argocd-rbac-cm", {"policy.csv": text, "policy.default": default})


class Person:
    """Somebody with a token of the provider."""

    def __init__(self, gateway: Gateway, idp: Idp, name: str, *groups: str, **more: Any) -> None:
        now = int(time.time())
        claims = {
            **{"iss": idp.issuer, "sub": name, "aud": CLIENT, "iat": now, "exp": now + 600},
            **{"groups": list(groups)},
            **more,
        }
        token = jwt.encode({"alg": "RS256", "kid": idp.key.kid}, claims, idp.key)
        self._url = f"{gateway.url}/graphql"
        self._headers = {"Authorization": f"Bearer {token}"}

    def ask(self, document: str, **variables: str) -> dict[str, Any]:
        """An answer, errors and all."""
        body = {"query": document, "variables": variables}
        answer = httpx2.post(self._url, json=body, headers=self._headers, timeout=60)
        found: dict[str, Any] = answer.json()
        return found

    def sees(self) -> set[tuple[str, str]]:
        """The rollouts that they are shown."""
        nodes = self.ask(SEEN)["data"]["rollouts"]["nodes"]
        return {(node["cluster"]["name"], node["name"]) for node in nodes}

    def promotes(self, which: tuple[str, str]) -> str:
        """What comes of a promotion: "applied", or what was in the way."""
        cluster, name = which
        answer = self.ask(PROMOTE, cluster=cluster, name=name, namespace=NAMESPACE)
        if "errors" in answer:
            return str(answer["errors"][0]["extensions"]["code"])
        payload = answer["data"]["promoteRollout"]
        if payload["userErrors"]:
            return str(payload["userErrors"][0]["__typename"])
        return "applied" if payload["applied"] else "nothing"


def until_seen(person: Person, expected: set[tuple[str, str]]) -> None:
    def check() -> str | None:
        seen = person.sees()
        return None if seen == expected else f"seen {seen}"

    wait_until(check, seconds=SOON, what=f"the rollouts {expected} are seen")


def test_the_owner_of_each_rollout_decides_who_sees_it(
    beside: Gateway, argocd: ArgoCd, idp: Idp
) -> None:
    jane, guest = Person(beside, idp, "jane", "my-team"), Person(beside, idp, "guest")
    policy(argocd, default="role:admin")
    # What no Application truly has is no application's: Argo CD's roles speak of it as `rollouts`.
    wait_until(
        lambda: None if TRUE in guest.sees() else "nothing", seconds=SOON, what="all are read"
    )
    policy(argocd, READ)
    until_seen(jane, {TRUE})
    until_seen(guest, set())


def test_the_policy_of_the_article_lets_nobody_act_until_it_names_applications(
    beside: Gateway, argocd: ArgoCd, idp: Idp, fleet: Fleet
) -> None:
    jane = Person(beside, idp, "jane", "my-team")
    policy(argocd, READ, ARTICLE.format(object="my-project"))
    until_seen(jane, {TRUE})
    assert jane.promotes(TRUE) == "ForbiddenError"
    policy(argocd, READ, ARTICLE.format(object="my-project/*"))

    def acts() -> str | None:
        outcome = jane.promotes(TRUE)
        return None if outcome == "applied" else outcome

    wait_until(acts, seconds=SOON, what="the policy counts")
    wait_phase(fleet["west"], "checkout", "Paused")
    found = fleet["west"].cluster().get("Rollout", "checkout", NAMESPACE)
    assert found["status"]["currentStepIndex"] == 3


def test_a_forged_owner_lets_nobody_act(
    beside: Gateway, argocd: ArgoCd, idp: Idp, fleet: Fleet
) -> None:
    jane = Person(beside, idp, "jane", "my-team")
    policy(argocd, READ, ARTICLE.format(object="*"))
    until_seen(jane, {TRUE})
    for which in (FORGED, ELSEWHERE, PLAIN):
        assert jane.promotes(which) == "ForbiddenError"
        cluster, name = which
        found = fleet[cluster].cluster().get("Rollout", name, NAMESPACE)
        assert found["status"]["currentStepIndex"] == 1


def test_tokens_that_argocd_itself_made_are_not_taken(beside: Gateway, idp: Idp) -> None:
    own = Person(beside, idp, "admin", "my-team", iss="argocd", aud="argocd")
    assert own.ask(SEEN)["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    other = Person(beside, idp, "jane", "my-team", aud="another-client")
    assert other.ask(SEEN)["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


def test_a_project_role_counts_for_the_applications_of_its_project(
    beside: Gateway, argocd: ArgoCd, idp: Idp
) -> None:
    kim = Person(beside, idp, "kim", "my-ops")
    policy(argocd)
    until_seen(kim, set())
    with ExitStack() as stack:
        rule = "p, proj:my-project:ops, applications, get, my-project/*, allow"
        argocd.project(
            "my-project", roles=[{"name": "ops", "policies": [rule], "groups": ["my-ops"]}]
        )
        stack.callback(argocd.project, "my-project")
        until_seen(kim, {TRUE})
        # Once Argo CD does not manage it any more it is nobody's.
        argocd.application("checkout", "my-project", {"name": "west"}, f"{NAMESPACE}/other")
        until_seen(kim, set())
        argocd.application("checkout", "my-project", {"name": "west"}, f"{NAMESPACE}/checkout")
        until_seen(kim, {TRUE})
