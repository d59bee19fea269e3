"""The charts on a real API server: everything is accepted, and what the pods would run, runs."""

import base64
import secrets
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml

from acceptance.pods import Container
from contract.servers import redis_server
from deploy.charts import EXAMPLE, ROLLGRAPH, SPOKE, helm, of_kind, rendered, values
from deploy.schemas import crds
from testbed.build import ensure_built
from testbed.cluster import Object
from testbed.deadline import wait_until
from testbed.errors import ApiError
from testbed.fleet import Fleet
from testbed.parts import KUBERNETES
from testbed.scenarios import apply_many
from testbed.spoke import Spoke

# Helm is compiled when the first test asks for it.
pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(900)]

RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}
ROLLOUTS = "{ rollouts { totalCount partial nodes { cluster { name } } } }"


@pytest.fixture(scope="module")
def spoke(fleet: Fleet) -> Iterator[Spoke]:
    """A cluster that knows what the chart's optional objects are."""
    west = fleet["west"]
    found = list(crds())
    kubectl(west, "apply", "--server-side", "-f", "-", given=found)
    kubectl(west, "wait", "--for=condition=Established", "-f", "-", given=found)
    yield west
    kubectl(west, "delete", "--wait=false", "-f", "-", given=found)


@pytest.fixture
def namespace(spoke: Spoke) -> Iterator[str]:
    """A namespace in which only pods of the restricted profile are admitted."""
    with restricted(spoke, f"chart-{secrets.token_hex(3)}") as name:
        yield name


@contextmanager
def restricted(spoke: Spoke, name: str) -> Iterator[str]:
    meta = {"name": name, "labels": RESTRICTED}
    spoke.cluster().apply({"apiVersion": "v1", "kind": "Namespace", "metadata": meta})
    yield name
    for each in spoke.cluster().list("Namespace"):
        if each["metadata"]["name"].startswith(name):
            spoke.cluster().delete("Namespace", each["metadata"]["name"])


def kubectl(spoke: Spoke, *arguments: str, given: list[Object] | None = None) -> str:
    """What kubectl prints; it fails the test with what it says."""
    program = ensure_built([KUBERNETES]).program("kubectl")
    argv = [str(program), "--kubeconfig", str(spoke.kubeconfig()), *arguments]
    text = yaml.safe_dump_all(given or [])
    done = subprocess.run(argv, input=text, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def released(spoke: Spoke, *arguments: str | Path) -> str:
    """What Helm prints about a release of the cluster."""
    return helm(*arguments, "--kubeconfig", spoke.kubeconfig())


def file_of(folder: Path, found: Mapping[str, object]) -> Path:
    """Values as a file."""
    path = folder / "values.yaml"
    path.write_text(yaml.safe_dump(found), "utf-8")
    return path


def wait_for_pods(spoke: Spoke, namespace: str, deployment: str) -> None:
    """Until all pods are there; nobody starts them, for no scheduler runs."""
    spoke.cluster().wait_for(
        "Deployment",
        deployment,
        lambda found: found["spec"]["replicas"] == found.get("status", {}).get("replicas"),
        namespace,
        what="all its pods are admitted",
    )


def test_everything_that_the_chart_can_make_is_accepted_changed_and_removed(
    spoke: Spoke, namespace: str, tmp_path: Path
) -> None:
    beside = {name: spoke.namespace(f"{namespace}-{name}") for name in ("argocd", "team")}
    argocd = {"namespace": beside["argocd"], "application_namespaces": [beside["team"]]}
    changed = file_of(tmp_path, {"config": {"argocd": argocd}})
    flags = ["-n", namespace, "-f", str(values("distributed")), "-f", str(changed)]
    objects = rendered(ROLLGRAPH, *flags)

    strict = ("apply", "--server-side", "--validate=strict", "--dry-run=server", "-f", "-")
    tried = kubectl(spoke, *strict, given=objects).splitlines()
    assert len(tried) == len(objects)
    assert all(line.endswith("serverside-applied (server dry run)") for line in tried)

    released(spoke, "install", "rollgraph", ROLLGRAPH, *flags)
    assert len(kubectl(spoke, "get", "-f", "-", "-o", "name", given=objects).split()) == len(
        objects
    )
    for each in ("rollgraph-gateway", "rollgraph-worker"):
        wait_for_pods(spoke, namespace, each)

    released(spoke, "upgrade", "rollgraph", ROLLGRAPH, *flags, "--set", "worker.replicas=3")
    wait_for_pods(spoke, namespace, "rollgraph-worker")
    assert spoke.cluster().get("Deployment", "rollgraph-worker", namespace)["spec"]["replicas"] == 3

    released(spoke, "uninstall", "rollgraph", "-n", namespace)
    assert kubectl(spoke, "get", "-f", "-", "-o", "name", "--ignore-not-found", given=objects) == ""


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("runAsNonRoot", False),
        ("allowPrivilegeEscalation", True),
        ("capabilities", {"add": ["NET_ADMIN"], "drop": ["ALL"]}),
    ],
)
def test_its_pods_are_judged_by_the_restricted_profile(
    spoke: Spoke, namespace: str, field: str, value: object
) -> None:
    deployment = of_kind(rendered(ROLLGRAPH, "-f", values("distributed")), "Deployment")
    template: dict[str, Any] = deployment["rollgraph-gateway"]["spec"]["template"]["spec"]
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "pod", "namespace": namespace},
        "spec": template,
    }
    spoke.cluster().create(pod)

    template["containers"][0]["securityContext"][field] = value
    pod["metadata"] = {"name": "bad", "namespace": namespace}
    with pytest.raises(ApiError, match="violates PodSecurity"):
        spoke.cluster().create(pod)


def test_the_example_of_kustomize_is_accepted(spoke: Spoke) -> None:
    with restricted(spoke, "delivery"):
        kubectl(spoke, "apply", "--server-side", "--validate=strict", "-k", str(EXAMPLE))

        for each in ("rollgraph-gateway", "rollgraph-worker"):
            wait_for_pods(spoke, "delivery", each)


def test_gateways_and_workers_run_with_what_their_pods_have(
    fleet: Fleet, spoke: Spoke, namespace: str, tmp_path: Path
) -> None:
    many = apply_many(spoke, 3, f"{namespace}-rollouts")
    with ExitStack() as stack:
        (tmp_path / "redis").mkdir()
        redis = stack.enter_context(redis_server(tmp_path / "redis", "--requirepass", "grüße"))
        secret(spoke, namespace, "clusters", {"fleet.yaml": fleet.kubeconfig.read_text()})
        secret(spoke, namespace, "redis", {"password": "grüße", "url": redis.url})
        secret(spoke, namespace, "session", {"session-secret": key()})
        found = {
            "config": {
                "auth": {"service_accounts": spoke.name},
                "policy": {"default_role": "role:readonly"},
            },
            "clusters": {"kubeconfigSecret": "clusters"},
            "redis": {"existingSecret": "redis", "passwordKey": "password", "urlKey": "url"},
            "session": {"existingSecret": "session"},
            "policy": {"text": "p, role:shop, rollouts, *, */shop/*, allow\n"},
        }
        changed = file_of(tmp_path, found)
        released(spoke, "install", "rollgraph", ROLLGRAPH, "-n", namespace, "-f", changed)
        running = {}
        for part in ("worker", "gateway"):
            name, folder = f"rollgraph-{part}", tmp_path / part
            running[part] = Container(spoke, namespace, name, folder)
            stack.callback(running[part].process.stop)
            running[part].start()

        answered = ask(running["gateway"], caller(spoke, namespace))
        assert answered["totalCount"] >= len(many)
        assert answered["partial"] is False
        assert httpx2.post(f"{running['gateway'].url}/graphql").status_code == 401
        for each in running.values():
            told = httpx2.get(f"http://127.0.0.1:{each.metrics_port}/metrics").text
            assert "eventloop_lag_seconds" in told


def test_one_pod_watches_its_own_cluster_with_the_rights_of_the_chart_of_spokes(
    spoke: Spoke, namespace: str, tmp_path: Path
) -> None:
    account = ["--set", "serviceAccount.create=false", "--set", "serviceAccount.name=rollgraph"]
    released(spoke, "install", "spoke", SPOKE, "-n", namespace, *account)
    released(spoke, "install", "rollgraph", ROLLGRAPH, "-n", namespace, "-f", values("single"))
    container = Container(spoke, namespace, "rollgraph-gateway", tmp_path / "pod")
    try:
        container.start()

        answer = httpx2.get(f"{container.url}/readyz").json()
        assert answer["notSynced"] == []
        told = httpx2.get(f"http://127.0.0.1:{container.metrics_port}/metrics").text
        assert 'cluster="in-cluster"' in told
    finally:
        container.process.stop()
        released(spoke, "uninstall", "spoke", "-n", namespace)


def secret(spoke: Spoke, namespace: str, name: str, data: Mapping[str, str]) -> None:
    meta = {"name": name, "namespace": namespace}
    found = {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "stringData": dict(data)}
    spoke.cluster().create(found)


def key() -> str:
    """As `openssl rand -base64 32` makes one."""
    return base64.b64encode(secrets.token_bytes(32)).decode()


def caller(spoke: Spoke, namespace: str) -> str:
    """The token of somebody who may look."""
    return spoke.service_account_token("caller", namespace, audiences=["rollgraph"])


def ask(container: Container, token: str) -> dict[str, Any]:
    """What a gateway answers, once it answers about all clusters."""
    seen: list[dict[str, Any]] = []

    def check() -> str | None:
        answer = httpx2.post(
            f"{container.url}/graphql",
            json={"query": ROLLOUTS},
            headers={"Authorization": f"Bearer {token}"},
            timeout=30,
        )
        assert answer.status_code == 200, answer.text
        seen[:] = [answer.json()["data"]["rollouts"]]
        return str(seen) if seen[0]["partial"] else None

    wait_until(check, seconds=60, what="it answers about all clusters")
    return seen[0]
