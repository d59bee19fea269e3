"""Acting on real spokes: two at once, in somebody's name, with the least rights, and in trouble."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import pytest

from acceptance.acting import (
    Between,
    Working,
    kubeconfig_of_token,
    paused,
    ref_of,
    working,
)
from rollgraph.access.caller import ANYBODY, Caller
from rollgraph.access.everything import Everything
from rollgraph.acting.outcome import ClusterUnavailable, Conflict, Forbidden, Outcome
from rollgraph.acting.request import ActionRequest
from rollgraph.adapters.kubernetes.source import KubeconfigSource
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
    Undo,
)
from rollgraph.core.identity import IdentityMode
from rollgraph.core.spokerights import ACTIONS, Wanted, manifests
from rollgraph.core.viewer import Viewer
from rollgraph.server.settings import Acting
from testbed.cluster import Cluster, Object
from testbed.deadline import wait_until
from testbed.fleet import Fleet, shared_fleet
from testbed.scenarios.stage import Stage
from testbed.spoke import Spoke

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.looptime(False),
    pytest.mark.timeout(240),
    # asyncio leaves a socket to the garbage collector whose TLS handshake is cancelled before it
    # has begun (`SSLProtocol._start_shutdown` does nothing then). The watches of a frozen server,
    # which are cancelled when a test ends, do so now and then.
    pytest.mark.filterwarnings(
        "ignore:Exception ignored in. <socket.socket:pytest.PytestUnraisableExceptionWarning"
    ),
]


@pytest.fixture(scope="module")
def fleet() -> Iterator[Fleet]:
    """One spoke of our own: it is killed and frozen."""
    with shared_fleet(["frail"]) as running:
        yield running


@pytest.fixture
def spoke(fleet: Fleet) -> Spoke:
    return fleet["frail"]


def person(name: str, *groups: str, token: str = "") -> Caller:
    return Caller(Everything(Viewer(name, groups, "https://idp.example.com")), token)


async def act(
    at: Working, stage: Stage, action: Action, caller: Caller = ANYBODY, **rest: Any
) -> Outcome:
    return await at.actor.act(caller, ActionRequest(ref_of(stage), action, **rest), "request-7")


# -- two at once ---------------------------------------------------------------------------------


async def test_of_two_who_promote_at_once_one_wins(fleet: Fleet, spoke: Spoke) -> None:
    stage = await paused(spoke)
    # Two gateways, which know nothing of each other.
    async with working(fleet.kubeconfig) as one, working(fleet.kubeconfig) as other:
        await one.sees(ref_of(stage))
        await other.sees(ref_of(stage))
        outcomes: list[Outcome] = []

        async def promote(at: Working) -> None:
            outcomes.append(await act(at, stage, Promote()))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(promote, one)
            tasks.start_soon(promote, other)

    assert sorted(outcome.applied for outcome in outcomes) == [False, True], outcomes
    (loser,) = (outcome for outcome in outcomes if not outcome.applied)
    assert isinstance(loser.failure, Conflict), loser
    assert loser.failure.step_index is not None
    assert loser.failure.step_index > 1
    # One pause was ended, not two.
    await anyio.to_thread.run_sync(stage.wait_step, 3)


# -- as whom -------------------------------------------------------------------------------------


async def applied(spoke: Spoke, wanted: Wanted, folder: Path) -> Path:
    """The rights as printed, on the spoke; a kubeconfig for who has them."""

    def apply() -> Path:
        admin = spoke.cluster()
        for kind, names in GRANTED.items():
            for name in names:
                admin.delete(kind, name)
        for manifest in manifests(wanted):
            admin.apply(manifest)
        token = spoke.service_account_token("rollgraph", wanted.home)
        return kubeconfig_of_token(spoke, folder, token)

    return await anyio.to_thread.run_sync(apply)


# What an earlier test has given.
GRANTED = {
    "ClusterRoleBinding": ["rollgraph", "rollgraph-impersonate", "people"],
    "ClusterRole": ["rollgraph", "rollgraph-impersonate", ACTIONS],
}


def bind_people(spoke: Spoke, kind: str, name: str, namespace: str = "") -> None:
    """Gives people the right to act."""
    subject: Object = {"kind": kind, "name": name}
    subject |= {"namespace": namespace} if namespace else {}
    subject |= {} if namespace else {"apiGroup": "rbac.authorization.k8s.io"}
    spoke.cluster().apply(
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": "people"},
            "roleRef": {
                "apiGroup": "rbac.authorization.k8s.io",
                "kind": "ClusterRole",
                "name": ACTIONS,
            },
            "subjects": [subject],
        }
    )


async def test_the_spoke_knows_who_it_was(spoke: Spoke, tmp_path: Path) -> None:
    stage = await paused(spoke)
    wanted = Wanted(users=("alice",), groups=("shop-oncall", "everyone"))
    kubeconfig = await applied(spoke, wanted, tmp_path)
    bind_people(spoke, "Group", "shop-oncall")
    alice = person("alice", "shop-oncall", "system:masters", "everyone")

    async with working(kubeconfig) as at:
        await at.sees(ref_of(stage))
        outcome = await act(at, stage, Promote(), alice, reason="looks good")

    assert outcome.applied, outcome
    assert outcome.acted_as == "alice"

    def told() -> list[Object]:
        return [
            event
            for event in spoke.audit()
            if event["verb"] == "patch"
            and event["objectRef"].get("namespace") == stage.namespace
            and event["objectRef"].get("subresource") == "status"
        ]

    wait_until(lambda: None if told() else "nothing yet", seconds=10, what="the audit log")
    (event,) = told()
    assert event["user"]["username"] == "system:serviceaccount:rollgraph:rollgraph"
    who = event["impersonatedUser"]
    assert who["username"] == "alice"
    assert set(who["groups"]) == {"shop-oncall", "everyone", "system:authenticated"}
    assert who["extra"] == {"rollgraph-request-id": ["request-7"]}
    assert event["userAgent"].startswith("rollgraph/")


async def test_the_spoke_decides_about_the_person(spoke: Spoke, tmp_path: Path) -> None:
    stage = await paused(spoke)
    wanted = Wanted(users=("mallory",), groups=("shop-viewers",))
    kubeconfig = await applied(spoke, wanted, tmp_path)
    bind_people(spoke, "Group", "shop-oncall")

    async with working(kubeconfig) as at:
        await at.sees(ref_of(stage))
        outcome = await act(at, stage, Promote(), person("mallory", "shop-viewers"))

    assert isinstance(outcome.failure, Forbidden)
    assert "mallory" in outcome.failure.message
    assert stage.cluster.get("Rollout", "cart", stage.namespace)["status"]["currentStepIndex"] == 1


# -- the least rights ----------------------------------------------------------------------------

READS = [
    (verb, resource)
    for verb in ("list", "watch")
    for resource in (
        "rollouts.argoproj.io",
        "analysisruns.argoproj.io",
        "experiments.argoproj.io",
        "replicasets.apps",
        "deployments.apps",
        "pods",
        "events",
    )
]
ACTS = [
    ("get", "rollouts.argoproj.io"),
    ("patch", "rollouts.argoproj.io"),
    ("patch", "rollouts.argoproj.io/status"),
    ("get", "analysisruns.argoproj.io"),
    ("patch", "analysisruns.argoproj.io"),
    ("get", "experiments.argoproj.io"),
    ("patch", "experiments.argoproj.io"),
    ("get", "deployments.apps"),
    ("patch", "deployments.apps"),
    ("get", "replicasets.apps"),
    ("patch", "replicasets.apps"),
    ("get", "podtemplates"),
    ("patch", "podtemplates"),
]
TELLS = [("create", "events")]
IMPERSONATES = [
    ("impersonate", "users"),
    ("impersonate", "groups"),
    ("impersonate", "userextras.authentication.k8s.io/rollgraph-request-id"),
]
NEVER = [
    *(("get", resource) for resource in ("secrets", "pods", "configmaps")),
    *(("list", resource) for resource in ("secrets", "configmaps", "namespaces", "nodes")),
    *(
        (verb, resource)
        for verb in ("create", "update", "delete", "deletecollection")
        for resource in ("rollouts.argoproj.io", "deployments.apps", "pods", "replicasets.apps")
    ),
    ("patch", "pods"),
    ("patch", "events"),
    ("create", "pods/exec"),
    ("create", "pods/eviction"),
    ("patch", "rollouts.argoproj.io/scale"),
    ("patch", "deployments.apps/status"),
    ("impersonate", "serviceaccounts"),
    ("impersonate", "uids.authentication.k8s.io"),
    ("bind", "clusterroles.rbac.authorization.k8s.io"),
    ("escalate", "clusterroles.rbac.authorization.k8s.io"),
    ("create", "serviceaccounts/token"),
]
EVERY = [*READS, *ACTS, *TELLS, *IMPERSONATES, *NEVER]


def allowed(spoke: Spoke, token: str) -> set[tuple[str, str]]:
    """Of all that is probed, what the spoke allows a token."""
    client = Cluster(spoke.url, token, spoke.ca)
    found = set()
    for verb, what in EVERY:
        full, _, part = what.partition("/")
        resource, _, group = full.partition(".")
        attributes = {"verb": verb, "resource": resource, "group": group, "subresource": part}
        answer = client.request(
            "POST",
            "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
            body={
                "apiVersion": "authorization.k8s.io/v1",
                "kind": "SelfSubjectAccessReview",
                "spec": {"resourceAttributes": attributes},
            },
        )
        if answer["status"]["allowed"]:
            found.add((verb, what))
    client.close()
    return found


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Wanted(actions=False), READS),
        (Wanted(IdentityMode.SERVICE_ACCOUNT), [*READS, *ACTS, *TELLS]),
        (Wanted(IdentityMode.IMPERSONATE), [*READS, *TELLS]),
        (Wanted(any_user=True, any_group=True), [*READS, *TELLS, *IMPERSONATES]),
        (Wanted(IdentityMode.PASSTHROUGH), [*READS, *TELLS]),
    ],
    ids=["read-only", "serviceAccount", "nobody", "anybody", "passthrough"],
)
async def test_rollgraph_has_these_rights_and_no_other(
    spoke: Spoke, tmp_path: Path, wanted: Wanted, expected: Sequence[tuple[str, str]]
) -> None:
    await applied(spoke, wanted, tmp_path)
    token = spoke.service_account_token("rollgraph", wanted.home)
    assert await anyio.to_thread.run_sync(allowed, spoke, token) == set(expected)


@pytest.mark.parametrize("identity", list(IdentityMode), ids=str)
async def test_with_them_every_action_works(
    spoke: Spoke, tmp_path: Path, identity: IdentityMode
) -> None:
    stage = await paused(spoke)
    wanted = Wanted(identity, users=("alice",), groups=("dev",))
    kubeconfig = await applied(spoke, wanted, tmp_path)
    token = await anyio.to_thread.run_sync(spoke.service_account_token, "person", stage.namespace)
    if identity is IdentityMode.IMPERSONATE:
        bind_people(spoke, "User", "alice")
    elif identity is IdentityMode.PASSTHROUGH:
        bind_people(spoke, "ServiceAccount", "person", stage.namespace)
    alice = person("alice", "dev", token=token)

    async with working(kubeconfig, Acting(identity=identity)) as at:
        await at.sees(ref_of(stage))
        for action in (
            Pause(),
            Resume(),
            Promote(),
            Abort(),
            Retry(),
            Restart(datetime.now(UTC)),
            SetImage("*", "argoproj/rollouts-demo:red"),
            PromoteFull(),
            Undo(full=True),
        ):
            outcome = await act(at, stage, action, alice)
            assert outcome.failure is None, (action, outcome)
            assert outcome.applied, (action, outcome)

    await anyio.to_thread.run_sync(stage.wait_phase, "Healthy")
    images = stage.cluster.get("Rollout", "cart", stage.namespace)["spec"]["template"]["spec"]
    assert images["containers"][0]["image"].endswith(":yellow")


# -- trouble -------------------------------------------------------------------------------------


def is_paused(stage: Stage) -> bool:
    found = stage.cluster.get("Rollout", stage.rollout, stage.namespace)
    return bool(found["spec"].get("paused"))


def truthful(outcome: Outcome, *, happened: bool) -> None:
    """What was said is what happened, or that nobody can tell."""
    if outcome.applied:
        assert happened, outcome
    elif not outcome.unknown:
        assert outcome.failure is not None
        assert not happened, outcome


@pytest.mark.parametrize("delay", [0.0, 0.002, 0.005, 0.01])
async def test_a_frozen_api_server_is_not_taken_for_a_success(
    fleet: Fleet, spoke: Spoke, delay: float
) -> None:
    stage = await paused(spoke)

    async def freeze() -> None:
        await anyio.sleep(delay)
        spoke.apiserver.pause()

    source = Between(KubeconfigSource([fleet.kubeconfig]), freeze)
    async with working(fleet.kubeconfig, source=source) as at:
        await at.sees(ref_of(stage))
        try:
            with anyio.fail_after(4):
                outcome = await act(at, stage, Pause())
        finally:
            spoke.apiserver.resume()
    truthful(outcome, happened=await anyio.to_thread.run_sync(is_paused, stage))


@pytest.mark.parametrize("delay", [0.0, 0.003, 0.008])
async def test_a_killed_api_server_is_not_taken_for_a_success(
    fleet: Fleet, spoke: Spoke, delay: float
) -> None:
    stage = await paused(spoke)
    killed = False

    async def kill() -> None:
        nonlocal killed
        await anyio.sleep(delay)
        if not killed:
            killed = True
            await anyio.to_thread.run_sync(spoke.kill_apiserver)

    source = Between(KubeconfigSource([fleet.kubeconfig]), kill)
    async with working(fleet.kubeconfig, source=source) as at:
        await at.sees(ref_of(stage))
        try:
            with anyio.fail_after(4):
                outcome = await act(at, stage, Pause())
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(spoke.start_apiserver)
    truthful(outcome, happened=await anyio.to_thread.run_sync(is_paused, stage))


async def test_one_that_comes_back_in_time_is_asked_what_became_of_it(
    fleet: Fleet, spoke: Spoke
) -> None:
    stage = await paused(spoke)

    async def blink() -> None:
        spoke.apiserver.pause()
        await anyio.sleep(1.5)
        spoke.apiserver.resume()

    source = Between(KubeconfigSource([fleet.kubeconfig]), blink)
    async with working(fleet.kubeconfig, source=source) as at:
        await at.sees(ref_of(stage))
        outcome = await act(at, stage, Pause())
    assert outcome.applied, outcome
    assert await anyio.to_thread.run_sync(is_paused, stage)


async def test_one_that_is_gone_is_unavailable(fleet: Fleet, spoke: Spoke) -> None:
    stage = await paused(spoke)
    async with working(fleet.kubeconfig) as at:
        await at.sees(ref_of(stage))
        await anyio.to_thread.run_sync(spoke.kill_apiserver)
        try:
            outcome = await act(at, stage, Pause())
        finally:
            await anyio.to_thread.run_sync(spoke.start_apiserver)
    assert isinstance(outcome.failure, ClusterUnavailable)
    assert outcome.failure.last_seen is not None
    assert not await anyio.to_thread.run_sync(is_paused, stage)
