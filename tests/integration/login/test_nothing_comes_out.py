"""What is secret is in no log, no answer, no row of the audit and no Event, whatever people do.

A real provider, a simulated cluster that is watched and acted on, and a process that writes all it
has to say, at the level DEBUG. Afterwards everything that came out of it is searched.
"""

import base64
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
import yaml
from joserfc import jwt
from joserfc.jwk import OctKey

from idp.provider import SECRET
from integration.login.conftest import COOKIE, PENDING, Site, starting
from integration.login.test_command_line import User
from simulated.spoke import SimulatedSpoke, simulated_spoke
from testbed.cluster import Object
from testbed.deadline import wait_until
from testbed.scenarios.manifests import canary, pause, rollout, weight

BASIC = "basic-password-6f1d"
DEAD = "dead-token-93ab"
CERTIFICATE_KEY = base64.b64encode(b"no key, but secret 4c7e").decode()
IN_TEMPLATE = "env-password-b86c"
IN_HEADER = base64.b64encode(b"root:hunter2-55d0").decode()
NAME = "checkout"
KEY = {"cluster": "simulated", "namespace": "shop", "name": NAME}
ACT = """
fragment Done on RolloutActionPayload { applied message userErrors { __typename message } }
mutation Act($key: RolloutKeyInput!) {
  promoteRollout(input: {rollout: {key: $key}, reason: "it is time"}) { ...Done }
  undoRollout(input: {rollout: {key: $key}}) { ...Done }
  abortRollout(input: {rollout: {key: {cluster: "dead", namespace: "shop", name: "x"}}}) { ...Done }
}
"""
AUDIT = "{ auditEvents(first: 200) { nodes { subject verb result message patches reason } } }"


@dataclass
class Seen:
    """What came out, and what must not be in it.

    Attributes:
        secrets: Under a name each, for the one that is found.
        texts: What was answered and printed.
    """

    secrets: dict[str, str] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)

    def answer(self, given: httpx2.Response) -> httpx2.Response:
        """Notes an answer with its headers, but for cookies: those are the browser's to keep."""
        headers = [f"{k}: {v}" for k, v in given.headers.items() if k.lower() != "set-cookie"]
        self.texts.append("\n".join([*headers, given.text]))
        return given


@pytest.fixture(scope="module")
def spoke(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatedSpoke]:
    """A cluster with a rollout whose earlier template has a password."""
    with simulated_spoke(tmp_path_factory.mktemp("spoke")) as made:
        made.namespace("shop")
        manifest = rollout(NAME, canary(weight(20), pause(), weight(60), pause()))
        manifest["metadata"]["namespace"] = "shop"
        container = manifest["spec"]["template"]["spec"]["containers"][0]
        container["env"] = [{"name": "PASSWORD", "value": IN_TEMPLATE}]
        made.cluster().apply(manifest)
        made.cluster().wait_for("Rollout", NAME, _in("Healthy"), "shop", what="healthy")
        container["env"][0]["value"] = "rotated"
        made.cluster().apply(manifest)
        made.cluster().wait_for("Rollout", NAME, _in("Paused"), "shop", what="paused")
        yield made


def _in(phase: str) -> Any:
    def reached(found: Object) -> bool:
        status = found.get("status", {})
        observed = status.get("observedGeneration") == str(found["metadata"]["generation"])
        return bool(observed and status.get("phase") == phase)

    return reached


@pytest.fixture(scope="module")
def watching(spoke: SimulatedSpoke, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Rollgraph over that cluster, and over others that let nobody in."""
    folder: Path = tmp_path_factory.mktemp("secrets")
    access = spoke.access()
    users = {
        "simulated": {"token": access.token},
        "basic": {"username": "rollgraph", "password": BASIC},
        "dead": {"token": DEAD},
        "broken": {"client-key-data": CERTIFICATE_KEY, "client-certificate-data": CERTIFICATE_KEY},
    }
    nowhere = "https://127.0.0.1:1"
    urls = {"simulated": access.url, "basic": access.url, "dead": nowhere, "broken": nowhere}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": n, "cluster": {"server": url}} for n, url in urls.items()],
        "users": [{"name": n, "user": user} for n, user in users.items()],
        "contexts": [{"name": n, "context": {"cluster": n, "user": n}} for n in users],
    }
    path = folder / "clusters.yaml"
    path.write_text(yaml.safe_dump(config), "utf-8")
    flags = ("--log-format", "json", "--identity", "serviceAccount")
    with starting(folder) as start:
        yield start("--kubeconfig", str(path), *flags)


def test_nothing_that_is_secret_comes_out(
    watching: Site, spoke: SimulatedSpoke, tmp_path: Path
) -> None:
    seen = Seen()
    seen.secrets |= {
        "the client's": SECRET,
        "a kubeconfig's token": spoke.access().token,
        "a kubeconfig's password": BASIC,
        "the same in the header": base64.b64encode(f"rollgraph:{BASIC}".encode()).decode(),
        "a dead cluster's token": DEAD,
        "a client's key": CERTIFICATE_KEY,
        "a password in a template": IN_TEMPLATE,
    }
    by_browser(watching, seen)
    by_token(watching, seen)
    by_command_line(User(tmp_path, watching), seen)
    acting(watching, spoke, seen)
    seen.answer(httpx2.get(f"{watching.url}/livez"))
    wait_until(lambda: _not_written(watching), seconds=10, what="the log has what is DEBUG")
    seen.texts.append(watching.log.read_text("utf-8"))

    everything = "\n".join(seen.texts)
    assert {name for name, secret in seen.secrets.items() if secret in everything} == set()
    # Each was there to be found: none is empty, or so short that it is found anywhere.
    assert {name for name, secret in seen.secrets.items() if len(secret) < 10} == set()


def _not_written(site: Site) -> str | None:
    """The last request of all is remarkable to nobody: it is logged at the level DEBUG."""
    log = site.log.read_text("utf-8")
    return None if '"path":"/livez","status":200' in log else log[-500:]


def by_browser(site: Site, seen: Seen) -> None:
    """A login that goes wrong, one that goes well, a question, one without CSRF, and the end."""
    browser = site.browser()
    seen.answer(browser.client.get("/auth/callback?code=stolen-code-77aa&state=made-up-state-31"))
    seen.secrets |= {"a stolen code": "stolen-code-77aa", "a made-up state": "made-up-state-31"}
    back = browser.authorize()
    query = parse_qs(urlsplit(back).query)
    seen.secrets |= {"the code": query["code"][0], "the state": query["state"][0]}
    seen.secrets["the login under way"] = browser.cookie(PENDING)
    seen.answer(browser.client.get(back))
    seen.secrets["the session"] = browser.cookie(COOKIE)
    # Told to the page on purpose, and nowhere else.
    seen.secrets["the CSRF token"] = browser.csrf = browser.session()["csrf"]
    assert seen.answer(browser.ask()).status_code == 200
    assert seen.answer(browser.ask(**{"x-rollgraph-csrf": "wrong"})).status_code == 403
    ours = {"origin": site.url, "x-rollgraph-csrf": browser.csrf}
    assert seen.answer(browser.client.post("/auth/logout", headers=ours)).status_code == 200


def by_token(site: Site, seen: Seen) -> None:
    """Tokens that are good, spoilt, of nobody, and in places where none belongs."""
    now = int(time.time())
    claims = {
        **{"iss": site.idp.issuer, "sub": "1", "aud": "rollgraph", "iat": now, "exp": now + 600},
        **{"email": "alice@example.com", "email_verified": True},
    }
    header = {"alg": "RS256", "kid": site.idp.key.kid}
    good = jwt.encode(header, claims, site.idp.key)
    wrong = (
        f"{good[:-6]}AAAAAA",
        jwt.encode({"alg": "HS256"}, claims, OctKey.generate_key(256)),
        jwt.encode(header, claims | {"exp": now - 600}, site.idp.key),
        "opaque-token-ae90",
    )
    assert ask(site, seen, f"Bearer {good}").status_code == 200
    for token in wrong:
        assert ask(site, seen, f"Bearer {token}").status_code == 401
        seen.secrets[f"a wrong token {len(seen.secrets)}"] = token.rpartition(".")[2]
    assert ask(site, seen, f"Basic {IN_HEADER}").status_code == 401
    query = {"query": "{ viewer { subject } }", "access_token": good}
    seen.answer(httpx2.get(f"{site.url}/graphql", params=query))
    seen.secrets |= {"a good token": good.rpartition(".")[2], "a password of nobody": IN_HEADER}


def ask(site: Site, seen: Seen, authorization: str) -> httpx2.Response:
    """Asks who asks."""
    body = {"query": "{ viewer { subject } }"}
    headers = {"Authorization": authorization}
    url = f"{site.url}/graphql"
    return seen.answer(httpx2.post(url, json=body, headers=headers, timeout=30))


def by_command_line(user: User, seen: Seen) -> None:
    """A login by a code, a question, and the end."""
    status, said = user.log_in()
    assert status == 0, said
    (login,) = json.loads(user.file.read_text("utf-8")).values()
    seen.secrets["the command line's token"] = login["token"].rpartition(".")[2]
    seen.secrets["what renews it"] = login["refresh_token"]
    asked = user.run("query", "{ viewer { subject } clusters { nodes { name } } }")
    assert asked.returncode == 0
    left = user.run("logout")
    seen.texts += [said, asked.stdout, asked.stderr, left.stdout, left.stderr]


def acting(site: Site, spoke: SimulatedSpoke, seen: Seen) -> None:
    """Actions that send a template with a password, or go to a cluster that is not there."""
    browser = site.browser()
    browser.log_in()
    headers = {"origin": site.url, "x-rollgraph-csrf": browser.csrf}

    def asked(query: str, **variables: object) -> Any:
        body = {"query": query, "variables": variables}
        answer = browser.client.post("/graphql", json=body, headers=headers, timeout=60)
        found = seen.answer(answer).json()
        assert "errors" not in found, found
        return found["data"]

    def not_read() -> str | None:
        found = asked(
            "{ rollouts { nodes { name } } clusters { nodes { name connection { lastError } } } }"
        )
        nodes = found["clusters"]["nodes"]
        failed = {node["name"] for node in nodes if node["connection"]["lastError"]}
        done = found["rollouts"]["nodes"] and failed >= {"basic", "dead", "broken"}
        return None if done else str(found)

    wait_until(not_read, seconds=60, what="one cluster is read and three let nobody in")
    done = asked(ACT, key=KEY)
    assert [part["applied"] for part in done.values()] == [True, True, False]
    rows = asked(AUDIT)["auditEvents"]["nodes"]
    verbs = {row["verb"] for row in rows}
    assert verbs >= {"promote", "undo", "abort", "login", "logout", "load-policy"}
    (undone,) = [row for row in rows if row["verb"] == "undo"]
    assert undone["patches"] == ["rollouts.argoproj.io shop/checkout: spec.template"]

    def not_told() -> str | None:
        events = spoke.cluster().list("Event", "shop")
        told = [event for event in events if event["reason"].startswith("Rollgraph")]
        seen.texts += [json.dumps(event) for event in told]
        return None if len(told) == 2 else str(told)

    wait_until(not_told, seconds=10, what="both actions are Events")
