"""Each mutation over HTTP on a real spoke, and each kind of user error that one can provoke."""

import json
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from acceptance.gateway import Gateway
from acceptance.moments import EXPERIMENT, HOUR, RATE, at, experimenting, in_phase
from testbed.cluster import Object
from testbed.deadline import wait_until
from testbed.errors import ApiError
from testbed.fleet import Fleet
from testbed.metrics import metrics_server
from testbed.ports import free_port
from testbed.scenarios.manifests import (
    CONTAINER,
    IMAGE,
    analysis_template,
    canary,
    pause,
    rollout,
    web_metric,
    weight,
)
from testbed.scenarios.stage import Stage
from testbed.users import READER, Access, write_kubeconfig

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(300)]

SELECTION = """
  operationId applied dryRun message stale resourceVersionBefore resourceVersionAfter
  patches { resource name subresource type body sent }
  rollout { resourceVersion phase currentStepIndex paused }
  userErrors {
    __typename code message retryable path
    ... on ConflictError { currentStepIndex actualResourceVersion }
    ... on ForbiddenError { layer action }
    ... on NotApplicableError { phase viewerActions { action allowed } }
    ... on ClusterUnavailableError { cluster { name } lastSeenAt }
    ... on KubernetesRejectedError { httpStatus kubernetesReason }
    ... on TimeoutError { unknown }
  }
"""
NAME = "acted-on"


@dataclass(frozen=True)
class Desk:
    """One rollout of a spoke, and Rollgraph over it."""

    gateway: Gateway
    stage: Stage

    @property
    def key(self) -> dict[str, str]:
        return {
            "cluster": self.stage.spoke.name,
            "namespace": self.stage.namespace,
            "name": self.stage.rollout,
        }

    def act(self, mutation: str, **input: object) -> dict[str, Any]:
        """The payload of an action that goes well."""
        payload = self.try_to(mutation, **input)
        assert payload["userErrors"] == []
        return payload

    def refused(self, mutation: str, **input: object) -> dict[str, Any]:
        """The only user error of an action of which nothing was done."""
        payload = self.try_to(mutation, **input)
        assert payload["applied"] is False
        (error,) = payload["userErrors"]
        return dict(error)

    def try_to(self, mutation: str, **input: object) -> dict[str, Any]:
        """The payload of an action, whatever comes of it."""
        target = {} if "id" in input or "rollout" in input else {"rollout": {"key": self.key}}
        type_ = f"{mutation[0].upper()}{mutation[1:]}Input!"
        document = f"mutation M($in: {type_}) {{ {mutation}(input: $in) {{ {SELECTION} }} }}"
        found: dict[str, Any] = self.gateway.ask(document, **{"in": target | input})[mutation]
        return found

    def wait(self, condition: Callable[[Object], bool], what: str) -> None:
        """Until it is so on the spoke, and Rollgraph has seen it."""
        version = self.stage.wait(condition, what)["metadata"]["resourceVersion"]

        def check() -> str | None:
            seen = self.read("resourceVersion")["resourceVersion"]
            return None if int(seen) >= int(version) else f"it has seen {seen}, not {version}"

        wait_until(check, seconds=10, what=what)

    def read(self, selection: str) -> dict[str, Any]:
        """The rollout as Rollgraph has it."""
        document = f"""
        query R($cluster: String!, $namespace: String!, $name: String!) {{
          rollout(cluster: $cluster, namespace: $namespace, name: $name) {{ {selection} }}
        }}
        """
        found: dict[str, Any] = self.gateway.ask(document, **self.key)["rollout"]
        return found

    def allowed(self) -> set[str]:
        """What can be done now, as Rollgraph says."""
        found = self.read("viewerActions { action allowed }")["viewerActions"]
        return {item["action"] for item in found if item["allowed"]}


@pytest.fixture
def desk(fleet: Fleet, gateway: Gateway) -> Iterator[Desk]:
    spoke = fleet["east"]
    namespace = spoke.namespace(f"acting-{secrets.token_hex(3)}")
    with metrics_server() as metrics:
        yield Desk(gateway, Stage(spoke, namespace, NAME, metrics))
    spoke.cluster().delete("Namespace", namespace)


def start(desk: Desk, *steps: Object) -> None:
    """A canary that is healthy, as Rollgraph knows it."""
    desk.stage.apply(rollout(NAME, canary(*steps), replicas=1))
    desk.stage.wait_phase("Healthy")

    def check() -> str | None:
        found = desk.gateway.ask(
            "query R($in: String!) { rollouts(filter: {namespace: {eq: $in}}) { nodes { phase }}}",
            **{"in": desk.stage.namespace},
        )["rollouts"]["nodes"]
        return None if found == [{"phase": "HEALTHY"}] else str(found)

    wait_until(check, seconds=10, what="Rollgraph knows the rollout")


def test_a_rollout_is_led_through_its_life_by_mutations_alone(desk: Desk) -> None:
    metrics, stage = desk.stage.metrics, desk.stage
    metrics.set("rate", 1.0)
    stage.apply(analysis_template("rate", web_metric(metrics.url("rate"), interval=HOUR, count=2)))
    start(desk, weight(25), pause(), RATE, weight(50), pause(HOUR), weight(75), pause())

    payload = desk.act("setRolloutImage", container=CONTAINER, image=f"{IMAGE}:yellow")
    assert (payload["applied"], payload["stale"]) == (True, False)
    assert int(payload["rollout"]["resourceVersion"]) >= int(payload["resourceVersionAfter"])
    desk.wait(at(1, "Paused"), "the first pause")

    before = desk.read("resourceVersion currentRevision { podTemplateHash }")
    payload = desk.act("promoteRollout", dryRun=True)
    assert (payload["applied"], payload["dryRun"]) == (False, True)
    assert [(p["subresource"], p["body"]) for p in payload["patches"]] == [
        ("status", {"status": {"pauseConditions": None}})
    ]
    held = stage.cluster.get("Rollout", NAME, stage.namespace)
    assert held["metadata"]["resourceVersion"] == before["resourceVersion"]

    key = secrets.token_hex(8)
    seen = {
        "expectedStepIndex": 1,
        "expectedPodTemplateHash": before["currentRevision"]["podTemplateHash"],
        "expectedResourceVersion": before["resourceVersion"],
        "idempotencyKey": key,
    }
    first = desk.act("promoteRollout", **seen)
    assert first["message"] == "ends the pause of step 2 of 7 (pause)"
    assert desk.act("promoteRollout", **seen)["operationId"] == first["operationId"]
    desk.wait(lambda found: found["status"]["currentStepIndex"] == 2, "the analysis")
    error = desk.refused("promoteRollout", expectedStepIndex=1)
    assert (error["__typename"], error["currentStepIndex"]) == ("ConflictError", 2)

    desk.act("terminateAnalysisRun", id=running(desk, "analysisRuns"))
    desk.wait(at(4, "Paused"), "the timed pause")

    desk.act("skipRolloutStep", expectedStepIndex=4)
    desk.wait(at(6, "Paused"), "the last pause")
    desk.act("jumpToRolloutStep", toStepIndex=3)
    desk.wait(at(4, "Paused"), "the timed pause once more")

    payload = desk.act("pauseRollout")
    assert payload["rollout"]["paused"] is True
    desk.wait(in_phase("Paused", "manually paused"), "the pause by hand")
    assert {"RESUME", "ABORT"} <= desk.allowed()
    desk.act("resumeRollout")
    desk.wait(at(4, "Paused", "CanaryPauseStep"), "its own pause")

    assert "RETRY" not in desk.allowed()
    desk.act("abortRollout", reason="no reason")
    desk.wait(in_phase("Degraded", "RolloutAborted"), "the abort")
    desk.act("retryRollout")
    desk.wait(at(1, "Paused"), "the first pause again")
    desk.act("promoteRolloutFull")
    desk.wait(in_phase("Healthy"), "the end of all steps")

    assert "brings back revision 1" in desk.act("undoRollout")["message"]
    desk.wait(at(1, "Paused"), "the older revision paused")
    desk.act("abortRollout")
    desk.wait(in_phase("Degraded", "RolloutAborted"), "the second abort")
    numbers = [item["number"] for item in desk.read(REVISIONS)["revisions"]["nodes"]]
    desk.act("undoRollout", toRevision=max(numbers) - 1, full=True)
    desk.wait(in_phase("Healthy"), "back in full")

    desk.act("restartRollout")
    desk.wait(
        lambda found: found["status"].get("restartedAt") == found["spec"]["restartAt"],
        "new pods",
    )


REVISIONS = "revisions { nodes { number } }"


def running(desk: Desk, what: str) -> str:
    """The id of the rollout's only running analysis run or experiment, once Rollgraph knows it."""
    ids: list[str] = []

    def check() -> str | None:
        found = desk.read(f"{what} {{ nodes {{ id phase }} }}")[what]["nodes"]
        ids[:] = [item["id"] for item in found if item["phase"] == "RUNNING"]
        return None if len(ids) == 1 else f"{found}"

    wait_until(check, seconds=20, what=f"one of {what} runs")
    return ids[0]


def test_an_experiment_is_ended(desk: Desk) -> None:
    steps = EXPERIMENT.script(desk.stage)
    for condition in steps:
        desk.stage.wait(condition, "a move of the script")
    desk.wait(experimenting, "the experiment")
    desk.act("terminateExperiment", id=running(desk, "experiments"))
    desk.stage.wait_any("Experiment", lambda found: found["spec"].get("terminate", False), "end")


def test_many_rollouts_are_shown_first_and_then_acted_on_where_they_were(
    fleet: Fleet, gateway: Gateway
) -> None:
    """Across both spokes, while one of them moves between the look and the deed."""
    namespace = f"acting-{secrets.token_hex(3)}"
    with metrics_server() as metrics:
        desks = [
            Desk(gateway, Stage(fleet[name], fleet[name].namespace(namespace), NAME, metrics))
            for name in ("east", "west")
        ]
    for desk in desks:
        desk.stage.apply(rollout(NAME, canary(weight(50), pause()), replicas=1))
    for desk in desks:
        desk.stage.wait_phase("Healthy")
        desk.stage.set_image("yellow")
    for desk in desks:
        desk.wait(at(1, "Paused"), "its pause")
    east, west = desks
    targets = {"filter": {"namespace": {"eq": namespace}}}
    shown = bulk(gateway, action="PROMOTE", targets=targets, dryRun=True)
    assert (shown["succeeded"], [r["applied"] for r in shown["results"]]) == (2, [False] * 2)
    west.act("promoteRollout")
    west.wait(in_phase("Healthy"), "the promotion by somebody else")
    done = bulk(gateway, action="PROMOTE", targets=targets, token=shown["token"])
    assert (done["succeeded"], done["failed"], done["skipped"]) == (1, 1, 0)
    assert [(r["rollout"]["clusterName"], r["applied"]) for r in done["results"]] == [
        ("east", True),
        ("west", False),
    ]
    assert [error["code"] for error in done["results"][1]["userErrors"]] == ["CONFLICT"]
    east.wait(in_phase("Healthy"), "the promotion")
    for desk in desks:
        desk.stage.cluster.delete("Namespace", namespace)


def bulk(gateway: Gateway, **input: object) -> dict[str, Any]:
    """The payload of a bulk that was begun."""
    found: dict[str, Any] = gateway.ask(BULK, **{"in": input})["bulkRolloutAction"]
    assert found["userErrors"] == []
    return found


BULK = """
mutation B($in: BulkRolloutActionInput!) {
  bulkRolloutAction(input: $in) {
    succeeded failed skipped token
    results { applied rollout { clusterName } userErrors { code message } }
    userErrors { code message path }
  }
}
"""


def test_what_makes_no_sense_now_or_ever_is_told_by_kind(desk: Desk) -> None:
    start(desk, weight(50), pause())
    error = desk.refused("retryRollout")
    assert (error["__typename"], error["phase"]) == ("NotApplicableError", "HEALTHY")
    assert {item["action"] for item in error["viewerActions"] if item["allowed"]} == desk.allowed()

    nobody = {"key": desk.key | {"name": "nobody"}}
    assert desk.refused("abortRollout", rollout=nobody)["code"] == "NOT_FOUND"
    nowhere = {"key": desk.key | {"cluster": "mars"}}
    assert desk.refused("abortRollout", rollout=nowhere)["code"] == "NOT_FOUND"
    error = desk.refused("setRolloutImage", container="sidecar", image="web:2")
    assert error["code"] == "NOT_FOUND"
    assert CONTAINER in error["message"]

    assert desk.refused("setRolloutImage", container="*", image="no image")["code"] == (
        "INVALID_INPUT"
    )
    desk.act("restartRollout", idempotencyKey="once")
    error = desk.refused("pauseRollout", idempotencyKey="once")
    assert (error["code"], error["path"]) == ("INVALID_INPUT", ["input", "idempotencyKey"])


def test_what_is_so_already_is_no_error(desk: Desk) -> None:
    start(desk, weight(50), pause())
    payload = desk.act("promoteRolloutFull")
    assert (payload["applied"], payload["patches"]) == (False, [])
    assert "already" in payload["message"]


DENIAL = {
    "kind": "ValidatingAdmissionPolicy",
    "spec": {
        "failurePolicy": "Fail",
        "matchConstraints": {
            "resourceRules": [
                {
                    "apiGroups": ["argoproj.io"],
                    "apiVersions": ["*"],
                    "operations": ["UPDATE"],
                    "resources": ["rollouts"],
                }
            ]
        },
        "validations": [
            {
                "expression": "!has(object.spec.restartAt)",
                "message": "nobody restarts anything here",
            }
        ],
    },
}
ADMISSION = "admissionregistration.k8s.io/v1"


@pytest.fixture
def denied(desk: Desk) -> Iterator[Desk]:
    """A namespace in which an admission policy denies restarts."""
    name, cluster = desk.stage.namespace, desk.stage.cluster
    binding = {
        "kind": "ValidatingAdmissionPolicyBinding",
        "spec": {
            "policyName": name,
            "validationActions": ["Deny"],
            "matchResources": {
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}
            },
        },
    }
    places = [
        f"/apis/{ADMISSION}/validatingadmissionpolicies",
        f"/apis/{ADMISSION}/validatingadmissionpolicybindings",
    ]
    for place, manifest in zip(places, (DENIAL, binding), strict=True):
        named = {"apiVersion": ADMISSION, "metadata": {"name": name}}
        cluster.request("POST", place, body=manifest | named)
    yield desk
    for place in places:
        cluster.request("DELETE", f"{place}/{name}")


def test_what_an_admission_policy_denies_is_rejected_even_when_only_tried(denied: Desk) -> None:
    start(denied, weight(50), pause())

    def enforced() -> str | None:
        body = {"spec": {"restartAt": "2030-01-01T00:00:00Z"}}
        path = f"/apis/argoproj.io/v1alpha1/namespaces/{denied.stage.namespace}/rollouts/{NAME}"
        try:
            denied.stage.cluster.request(
                "PATCH",
                path,
                body=json.dumps(body).encode(),
                params={"dryRun": "All"},
                content_type="application/merge-patch+json",
            )
        except ApiError:
            return None
        return "the policy is not enforced yet"

    wait_until(enforced, seconds=30, what="the API server knows the policy")
    for dry_run in (True, False):
        error = denied.refused("restartRollout", dryRun=dry_run)
        assert (error["__typename"], error["httpStatus"], error["kubernetesReason"]) == (
            "KubernetesRejectedError",
            422,
            "Invalid",
        )
        assert "nobody restarts anything here" in error["message"]


def over(kubeconfig: Path, folder: Path, desk: Desk, *flags: str) -> Iterator[Desk]:
    with Gateway(kubeconfig, folder, flags) as running:
        yield Desk(running, desk.stage)


@pytest.fixture
def reading(fleet: Fleet, desk: Desk, tmp_path: Path) -> Iterator[Desk]:
    """Rollgraph with credentials that may read and nothing else."""
    start(desk, weight(50), pause())
    yield from over(fleet.kubeconfig_of(READER), tmp_path, desk)


def test_who_the_cluster_itself_forbids_is_told_so(reading: Desk) -> None:
    reading.gateway.wait_until_synced()
    error = reading.refused("pauseRollout")
    assert (error["__typename"], error["layer"], error["action"]) == (
        "ForbiddenError",
        "KUBERNETES_RBAC",
        "pause",
    )


@pytest.fixture
def dead(desk: Desk, tmp_path: Path) -> Iterator[Desk]:
    """Rollgraph over an API server at whose port nobody listens."""
    access = Access(f"https://127.0.0.1:{free_port()}", desk.stage.spoke.ca, "admin", "token")
    kubeconfig = write_kubeconfig(tmp_path / "dead.yaml", {"east": access})
    yield from over(kubeconfig, tmp_path, desk)


def test_a_cluster_that_cannot_be_reached_is_named(dead: Desk) -> None:
    error = dead.refused("abortRollout")
    assert (error["__typename"], error["cluster"], error["lastSeenAt"]) == (
        "ClusterUnavailableError",
        {"name": "east"},
        None,
    )
    assert error["retryable"] is True


@pytest.fixture
def hurried(fleet: Fleet, desk: Desk, tmp_path: Path) -> Iterator[Desk]:
    """Rollgraph that gives an action hardly any time."""
    yield from over(fleet.kubeconfig, tmp_path, desk, "--limit-action-timeout", "0.1")


def test_what_there_was_no_time_for_is_not_begun(hurried: Desk) -> None:
    error = hurried.refused("abortRollout")
    assert (error["__typename"], error["unknown"]) == ("TimeoutError", False)
    assert "nothing was sent" in error["message"]
