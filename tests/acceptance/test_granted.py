"""What `rollgraph spoke manifest` grants is what Rollgraph uses, to the verb.

What is granted is what `kubectl auth can-i --list` says; what is used is in the spoke's own audit
log, after every action has been done once, wherever a rollout's template may be.
"""

import secrets
import subprocess
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio.to_thread
import pytest

from acceptance import moments
from acceptance.acting import kubeconfig_of_token, ref_of, working
from acceptance.gateway import ROLLGRAPH
from acceptance.moments import HEALTHY, at
from acceptance.twins import Condition, Moment
from rollgraph.access.caller import Caller
from rollgraph.access.everything import Everything
from rollgraph.acting.request import ActionRequest
from rollgraph.core.actions.action import (
    Abort,
    Action,
    Pause,
    Promote,
    PromoteFull,
    Restart,
    Resume,
    Retry,
    SetImage,
    TerminateAnalysisRun,
    TerminateExperiment,
    Undo,
)
from rollgraph.core.identity import IdentityMode
from rollgraph.core.viewer import Viewer
from rollgraph.server.settings import Acting
from testbed.build import ensure_built
from testbed.cluster import Object
from testbed.deadline import wait_until
from testbed.fleet import Fleet
from testbed.metrics import Metrics, metrics_server
from testbed.scenarios.manifests import canary, pause, rollout, template, weight
from testbed.scenarios.stage import Stage
from testbed.spoke import Spoke

pytestmark = [pytest.mark.acceptance, pytest.mark.looptime(False), pytest.mark.timeout(300)]

# A right: a verb, and what it is for.
Right = tuple[str, str]
ALICE = Caller(Everything(Viewer("alice", ("shop",), "https://idp.example.com")))
RED = "argoproj/rollouts-demo:red"
# Everybody has these, to ask what they may.
_ASKING = "authorization.k8s.io", "authentication.k8s.io"
_WATCHED = (
    "rollouts.argoproj.io",
    "analysisruns.argoproj.io",
    "experiments.argoproj.io",
    "replicasets.apps",
    "deployments.apps",
    "pods",
    "events",
)
# An API server that streams what there is, as this one does, is not asked for lists; others are.
_LISTED = {("list", what) for what in _WATCHED}
# An action is told as an Event by the process, which is not here; test_rights sees that it may.
_TOLD = {("create", "events")}
_READING = _LISTED | {("watch", what) for what in _WATCHED}
# What it takes to be her: her name, her groups, and the id of a request.
_ALICE = ("users", "groups", "userextras.authentication.k8s.io/rollgraph-request-id")


def _held_by_a_replica_set(s: Stage) -> Iterator[Condition]:
    labels = {"app": s.rollout}
    spec = {
        "replicas": 0,
        "selector": {"matchLabels": labels},
        "template": template(s.rollout, "blue"),
    }
    # Without labels of its own: the controller would take it for one of the rollout's.
    held: Object = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": "workload"}}
    s.apply({**held, "spec": spec})
    ref = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "workload"}
    found = rollout(s.rollout, canary(weight(50), pause()), workloadRef=ref)
    kept = {k: v for k, v in found["spec"].items() if k not in {"template", "selector"}}
    s.apply({**found, "spec": kept})
    yield HEALTHY
    s.patch({"template": template(s.rollout, "yellow")}, kind="ReplicaSet", name="workload")
    yield at(1, "Paused")


MOMENTS = {
    "paused": moments.PAUSED,
    "deployed": moments.DEPLOYED,
    "templated": moments.TEMPLATED,
    "replicated": Moment("the template of a ReplicaSet", _held_by_a_replica_set),
    "analysis": moments.ANALYSIS,
    "experiment": moments.EXPERIMENT,
}


def actions(stages: Mapping[str, Stage]) -> Iterator[tuple[Stage, Action]]:
    """Every way to change something, each as soon as it can be done."""
    image = SetImage("*", RED)
    paused = stages["paused"]
    for action in (Pause(), Resume(), Abort(), Retry()):
        yield paused, action
    paused.wait(at(1, "Paused"), "the first pause once more")
    yield paused, Restart(datetime.now(UTC))
    yield paused, Promote()
    paused.wait(HEALTHY, "it is healthy")
    yield paused, Undo()
    paused.wait(at(1, "Paused"), "the first pause of the older revision")
    yield paused, PromoteFull()
    for name in ("deployed", "templated", "replicated"):
        yield stages[name], image
    yield stages["analysis"], TerminateAnalysisRun(_only(stages["analysis"], "AnalysisRun"))
    yield stages["experiment"], TerminateExperiment(_only(stages["experiment"], "Experiment"))


def _only(stage: Stage, kind: str) -> str:
    (found,) = stage.cluster.list(kind, stage.namespace)
    name: str = found["metadata"]["name"]
    return name


@pytest.fixture
def stages(fleet: Fleet) -> Iterator[dict[str, Stage]]:
    """A rollout at each moment, all brought there at the same time."""
    spoke = fleet["west"]
    with metrics_server() as metrics, ThreadPoolExecutor(len(MOMENTS)) as pool:
        made = {name: pool.submit(_staged, spoke, name, metrics) for name in MOMENTS}
        found = {name: each.result() for name, each in made.items()}
        yield found
        for stage in found.values():
            spoke.cluster().delete("Namespace", stage.namespace)


def _staged(spoke: Spoke, name: str, metrics: Metrics) -> Stage:
    namespace = spoke.namespace(f"granted-{name}-{secrets.token_hex(3)}")
    stage = Stage(spoke, namespace, name, metrics)
    for condition in MOMENTS[name].script(stage):
        stage.wait(condition, name)
    return stage


@pytest.fixture
def home(fleet: Fleet, identity: IdentityMode) -> Iterator[str]:
    """The namespace of an account with the rights that are printed for an identity."""
    spoke = fleet["west"]
    name = f"granted-{secrets.token_hex(3)}"
    argv = [str(ROLLGRAPH), "spoke", "manifest", "--identity", identity.value, "--home", name]
    argv += ["--user", "alice", "--group", "dev"]
    manifest = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    kubectl(spoke.kubeconfig(), "apply", "--server-side", "-f", "-", given=manifest)
    bind = ("create", "clusterrolebinding", name, "--clusterrole=rollgraph-actions", "--user=alice")
    if identity is IdentityMode.IMPERSONATE:
        kubectl(spoke.kubeconfig(), *bind)
    yield name
    spoke.cluster().delete("ClusterRoleBinding", name)
    kubectl(spoke.kubeconfig(), "delete", "--wait=false", "-f", "-", given=manifest)


def kubectl(kubeconfig: Path, *arguments: str, given: str = "") -> str:
    """What kubectl prints."""
    program = ensure_built().program("kubectl")
    argv = [str(program), "--kubeconfig", str(kubeconfig), *arguments]
    done = subprocess.run(argv, input=given, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def granted(kubeconfig: Path, *flags: str) -> set[Right]:
    """What `kubectl auth can-i --list` says, but for what everybody may."""
    listed = kubectl(kubeconfig, "auth", "can-i", "--list", "--no-headers", *flags)
    rights: set[Right] = set()
    for line in listed.splitlines():
        what, verbs = line.split()[0], line[line.rindex("[") + 1 : line.rindex("]")].split()
        if not what.startswith("[") and not what.endswith(_ASKING):
            rights |= {(verb, what) for verb in verbs}
    return rights


def used(events: list[Object], *, allowed: bool = True) -> set[Right]:
    """What was asked for, and allowed or not, but for what everybody may."""
    rights: set[Right] = set()
    for event in events:
        ref = event.get("objectRef", {})
        answered = event["responseStatus"]["code"] != 403
        if ref.get("resource") and ref.get("apiGroup", "") not in _ASKING and answered is allowed:
            named = ".".join(filter(None, (ref["resource"], ref.get("apiGroup"))))
            what = "/".join(filter(None, (named, ref.get("subresource"))))
            rights.add((event["verb"], what))
    return rights


@pytest.mark.parametrize("identity", [IdentityMode.SERVICE_ACCOUNT, IdentityMode.IMPERSONATE])
async def test_each_right_is_used_and_each_use_is_a_right(
    fleet: Fleet, stages: dict[str, Stage], home: str, identity: IdentityMode, tmp_path: Path
) -> None:
    spoke = fleet["west"]
    token = await anyio.to_thread.run_sync(spoke.service_account_token, "rollgraph", home)
    kubeconfig = kubeconfig_of_token(spoke, tmp_path, token)

    async with working(kubeconfig, Acting(identity=identity)) as rollgraph:
        for stage in stages.values():
            await rollgraph.sees(ref_of(stage))
        todo = actions(stages)
        while (step := await anyio.to_thread.run_sync(next, todo, None)) is not None:
            request = ActionRequest(ref_of(step[0]), step[1])
            outcome = await rollgraph.actor.act(ALICE, request, f"request-{home}")
            assert outcome.applied, (step[1], outcome)
        refused = ActionRequest(ref_of(stages["paused"]), Retry())
        assert not (await rollgraph.actor.act(ALICE, refused, f"request-{home}")).applied

    own, alices = await anyio.to_thread.run_sync(_asked, spoke, home)
    here = ("-n", stages["paused"].namespace)
    rights = await anyio.to_thread.run_sync(granted, kubeconfig, *here)
    # A cluster is known by its first namespace where that may be read, and else by its address.
    assert used([*own, *alices], allowed=False) <= {("get", "namespaces")}
    if identity is IdentityMode.SERVICE_ACCOUNT:
        assert used(own) | _LISTED | _TOLD == rights
        assert alices == []
    else:
        assert used(own) | _LISTED == _READING
        assert rights - _READING - _TOLD == {("impersonate", what) for what in _ALICE}
        hers = await anyio.to_thread.run_sync(granted, spoke.kubeconfig(), *here, "--as", "alice")
        assert used(alices) == hers


def _asked(spoke: Spoke, home: str) -> tuple[list[Object], list[Object]]:
    """What an account has asked a spoke for: in its own name, and in others'."""
    ours = f"system:serviceaccount:{home}:rollgraph"
    last = f"nobody-{secrets.token_hex(4)}"
    spoke.cluster("reader").find("Rollout", last)

    def check() -> str | None:
        noted = any(last in event["requestURI"] for event in spoke.audit())
        return None if noted else "not yet"

    wait_until(check, seconds=10, what="the audit log is written")
    events: list[dict[str, Any]] = [
        event for event in spoke.audit() if event["user"]["username"] == ours
    ]
    return (
        [event for event in events if "impersonatedUser" not in event],
        [event for event in events if "impersonatedUser" in event],
    )
