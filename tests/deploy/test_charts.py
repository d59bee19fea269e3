"""The charts render what they say, with the rights that are needed, and refuse what is wrong."""

import base64
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.charts import (
    CHARTS,
    EXAMPLE,
    ROLLGRAPH,
    ROOT,
    SPOKE,
    helm,
    of_kind,
    rendered,
    run,
    values,
)
from deploy.written import BASE
from rollgraph.core.identity import IdentityMode
from rollgraph.core.spokerights import Wanted, manifests
from rollgraph.server.auth import wiring
from rollgraph.server.settings import Settings
from rollgraph.server.sources import load

LEAST = ["-f", str(values("single"))]
ALL = ["-f", str(values("distributed"))]


def pods(objects: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {
        name: each["spec"]["template"]["spec"]
        for name, each in of_kind(objects, "Deployment").items()
    }


@pytest.mark.parametrize("name", ["distributed", "single"])
def test_helm_finds_nothing_to_complain_of(name: str) -> None:
    helm("lint", "--strict", ROLLGRAPH, "-f", values(name))


def test_helm_finds_nothing_to_complain_of_in_the_chart_of_spokes() -> None:
    helm("lint", "--strict", SPOKE)


@pytest.mark.parametrize("chart", [ROLLGRAPH, SPOKE], ids=lambda chart: chart.name)
def test_the_charts_own_tests_pass(chart: Path) -> None:
    said = helm(chart, program="helm-unittest")

    suites = len(list((chart / "tests").glob("*_test.yaml")))
    assert suites > 0
    assert f"Test Suites: {suites} passed, {suites} total" in said


@pytest.mark.parametrize("name", ["distributed", "single"])
def test_rollgraph_takes_the_settings_that_the_chart_writes(name: str, tmp_path: Path) -> None:
    found = of_kind(rendered(ROLLGRAPH, "-f", values(name)), "ConfigMap")["rollgraph"]

    settings = taken(found["data"]["rollgraph.yaml"], tmp_path)

    assert settings.http.host == "0.0.0.0"
    assert settings.oidc.issuer == "https://id.example.com"
    assert settings.spokes.kubeconfig == (tmp_path / "clusters",)


@pytest.mark.parametrize("folder", [BASE, EXAMPLE], ids=["base", "example"])
def test_rollgraph_takes_the_settings_of_kustomize(folder: Path, tmp_path: Path) -> None:
    settings = taken((folder / "rollgraph.yaml").read_text("utf-8"), tmp_path)

    assert settings.redis.password_file == tmp_path / "redis" / "password"


def taken(text: str, folder: Path) -> Settings:
    """Settings as a pod would take them, with a folder for what is mounted there."""
    for mounted in re.findall("/etc/rollgraph/(.+/.+)", text):
        (folder / mounted).parent.mkdir(exist_ok=True)
        (folder / mounted).write_text(base64.b64encode(b"k" * 32).decode(), "ascii")
    file = folder / "rollgraph.yaml"
    file.write_text(text.replace("/etc/rollgraph", str(folder)), "utf-8")
    settings = load({}, {}, file)
    wiring.check(settings)
    return settings


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"config.auth.mode": "none"}, "config.auth.mode: without a login"),
        ({"config.oidc.issuer": ""}, "config.oidc.issuer: nobody could log in"),
        ({"config.redis.url": "redis://me:s3cret@redis:6379"}, "config.redis.url: a password"),
        ({"config.oidc.audiences": []}, "config.oidc: tokens that the issuer made for others"),
        ({"config.oidc.client_id": "rollgraph"}, "config.http.url: people log in with a browser"),
        ({"clusters.local.enabled": False}, "clusters: there is nothing to watch"),
        ({"mode": "distributed"}, "config.redis.url: workers and gateways meet on a Redis"),
        ({"redis.passwordKey": "password"}, "redis.existingSecret: keys of it are named"),
        ({"gatway.replicas": 3}, "additional properties 'gatway' not allowed"),
        ({"config.http.prot": 80}, "additional properties 'prot' not allowed"),
        ({"config.http.port": 99999}, "at '/config/http/port'"),
        ({"image.digest": "latest"}, "at '/image/digest'"),
    ],
)
def test_what_is_wrong_in_values_is_said_before_anything_is_installed(
    changed: dict[str, object], said: str
) -> None:
    (name, value), *_ = changed.items()

    done = run("template", "r", ROLLGRAPH, *LEAST, "--set-json", f"{name}={json.dumps(value)}")

    assert done.returncode == 1
    assert said in done.stderr


def test_logins_that_are_kept_on_redis_want_a_key() -> None:
    done = run("template", "r", ROLLGRAPH, *ALL, "--set", "session.existingSecret=")

    assert "session.existingSecret: people log in with a browser" in done.stderr


def test_pods_are_what_the_restricted_profile_allows() -> None:
    for name, pod in pods(rendered(ROLLGRAPH, *ALL)).items():
        (container,) = pod["containers"]
        security = container["securityContext"]
        assert security["capabilities"] == {"drop": ["ALL"]}, name
        assert security["readOnlyRootFilesystem"] is True
        assert security["allowPrivilegeEscalation"] is False
        assert pod["securityContext"]["runAsUser"] == 65532
        assert pod["securityContext"]["runAsNonRoot"] is True


def test_a_pod_has_the_token_of_its_account_only_where_it_reads_its_own_cluster() -> None:
    apart = {"clusters.local.enabled": False, "clusters.kubeconfigSecret": "clusters"}

    (with_it,) = pods(rendered(ROLLGRAPH, *LEAST)).values()
    (without,) = pods(rendered(ROLLGRAPH, *LEAST, changed=apart)).values()
    (beside,) = pods(
        rendered(ROLLGRAPH, *LEAST, changed=apart | {"config.argocd.namespace": "argocd"})
    ).values()

    assert with_it["automountServiceAccountToken"] is True
    assert without["automountServiceAccountToken"] is False
    assert beside["automountServiceAccountToken"] is True


def test_a_pod_has_the_time_to_end_that_its_drain_takes() -> None:
    slow = pods(rendered(ROLLGRAPH, *ALL, changed={"config.http.shutdown_grace": 60.5}))
    usual = pods(rendered(ROLLGRAPH, *ALL))

    assert slow["rollgraph-gateway"]["terminationGracePeriodSeconds"] == 5 + 61 + 5
    assert usual["rollgraph-gateway"]["terminationGracePeriodSeconds"] == 5 + 10 + 5
    assert usual["rollgraph-worker"]["terminationGracePeriodSeconds"] == 10 + 5


def test_pods_start_anew_when_settings_change_and_not_when_the_policy_does() -> None:
    def told(**changed: object) -> dict[str, str]:
        objects = rendered(ROLLGRAPH, *ALL, changed=changed)
        pod = of_kind(objects, "Deployment")["rollgraph-gateway"]["spec"]["template"]
        return dict(pod["metadata"]["annotations"])

    assert told(**{"policy.text": "g, all, role:readonly"}) == told()
    assert told(**{"config.log.level": "debug"}) != told()


def test_argo_cd_is_read_with_the_rights_that_its_page_tells_of() -> None:
    page = (ROOT / "docs" / "argocd.md").read_text("utf-8")
    told = yaml.safe_load(page.split("```yaml\n", 1)[1].split("```", 1)[0])

    role = of_kind(rendered(ROLLGRAPH, *ALL), "Role")["rollgraph"]

    assert role["rules"] == told["rules"]
    assert role["metadata"]["namespace"] == "argocd"


@pytest.mark.parametrize("identity", list(IdentityMode))
@pytest.mark.parametrize("actions", [True, False], ids=["acting", "reading"])
@pytest.mark.parametrize("namespaces", [(), ("shop", "pay")], ids=["everywhere", "two"])
def test_the_chart_of_spokes_is_what_the_command_prints(
    identity: IdentityMode, actions: bool, namespaces: tuple[str, ...]
) -> None:
    wanted = Wanted(identity, actions, namespaces, ("alice",), ("shop", "oncall"))
    changed = {
        "identity": identity.value,
        "actions": actions,
        "namespaces": list(namespaces),
        "users": ["alice"],
        "groups": ["shop", "oncall"],
    }

    by_chart = rendered(SPOKE, changed=changed)

    # Helm makes the namespace itself, and renders roles in an order of its own.
    printed = [each for each in manifests(wanted) if each["kind"] != "Namespace"]
    assert sorted(by_chart, key=_place) == sorted(printed, key=_place)


@pytest.mark.parametrize(
    ("changed", "wanted"),
    [
        ({}, Wanted()),
        ({"users": ["alice"]}, Wanted(users=("alice",))),
        ({"anyUser": True}, Wanted(any_user=True)),
        ({"anyUser": True, "groups": ["shop"]}, Wanted(any_user=True, groups=("shop",))),
        ({"anyUser": True, "anyGroup": True}, Wanted(any_user=True, any_group=True)),
        (
            {"anyUser": True, "users": ["alice"], "anyGroup": True, "groups": ["shop"]},
            Wanted(users=("alice",), groups=("shop",), any_user=True, any_group=True),
        ),
    ],
)
def test_both_let_nobody_be_impersonated_who_is_not_named(
    changed: dict[str, object], wanted: Wanted
) -> None:
    by_chart = rendered(SPOKE, changed=changed)

    name = "rollgraph-impersonate"
    printed = of_kind(manifests(wanted), "ClusterRole").get(name)
    assert of_kind(by_chart, "ClusterRole").get(name) == printed
    assert (printed is None) is (not changed)


@pytest.mark.parametrize("changed", [{"groups": ["shop"]}, {"anyGroup": True}])
def test_groups_alone_are_nobody(changed: dict[str, object]) -> None:
    sets = [f"{name}={json.dumps(value)}" for name, value in changed.items()]
    refused = run("template", "rollgraph", SPOKE, *(w for s in sets for w in ("--set-json", s)))
    assert refused.returncode != 0
    assert "expected users or anyUser beside them" in refused.stderr


def _place(found: dict[str, Any]) -> tuple[str, str, str]:
    meta = found["metadata"]
    return (found["kind"], meta.get("namespace", ""), meta["name"])


def test_charts_have_the_version_of_each_other() -> None:
    versions = {
        yaml.safe_load((chart / "Chart.yaml").read_text("utf-8"))["version"]
        for chart in CHARTS.iterdir()
    }

    assert len(versions) == 1
