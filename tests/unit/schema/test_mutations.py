"""Each mutation asks for one action, and each failure comes back as a type of its own."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from strawberry.types import ExecutionResult

from fakes.actor import ToldActor, failing
from fakes.rights import Some
from rollgraph.access.caller import ANYBODY, Caller
from rollgraph.acting import outcome as acting
from rollgraph.acting.outcome import Outcome
from rollgraph.acting.request import ActionRequest, Expected
from rollgraph.core.actions import action as actions
from rollgraph.core.actions.plan import Patch, Resource
from rollgraph.core.decision import Decision, Layer
from rollgraph.core.refs import RolloutRef
from rollgraph.core.verbs import Scope, Verb
from rollgraph.core.view import RolloutView
from rollgraph.schema.context import Context
from rollgraph.schema.ids import global_id
from unit.schema.asking import NOW, SCHEMA, Fleet, cluster, fleet, view

WEB = RolloutRef("east", "shop", "web")
KEY = {"rollout": {"key": {"cluster": "east", "namespace": "shop", "name": "web"}}}
ERRORS = """
  userErrors {
    __typename code message path retryable
    ... on ForbiddenError { layer action missingScopes }
    ... on NotApplicableError { phase viewerActions { action allowed } }
    ... on ConflictError {
      expectedResourceVersion actualResourceVersion currentStepIndex currentPodTemplateHash
    }
    ... on ClusterUnavailableError { cluster { name } lastSeenAt }
    ... on KubernetesRejectedError { httpStatus kubernetesReason }
    ... on TimeoutError { unknown }
  }
"""
PATCH = Patch(
    Resource.ROLLOUT, WEB.key, {"status": {"pauseConditions": None}}, subresource="status"
)


def well(request: ActionRequest) -> Outcome:
    """An outcome of something that was done."""
    return Outcome(
        ref=request.ref,
        verb=request.action.verb,
        operation_id="op-1",
        message="ends the pause of step 2 of 6",
        patches=(PATCH,),
        sent=1,
        dry_run=request.dry_run,
        before="41",
        after="42",
    )


@dataclass
class Desk:
    """Where mutations are asked for: a fleet, an actor, and who asks."""

    fleet: Fleet
    actor: ToldActor
    caller: Caller = ANYBODY

    async def run(self, document: str, **variables: object) -> ExecutionResult:
        context = Context(
            self.fleet.mirror,
            NOW,
            timedelta(seconds=10),
            "req-1",
            caller=self.caller,
            actor=self.actor,
        )
        result = await SCHEMA.execute(document, variable_values=variables, context_value=context)
        assert isinstance(result, ExecutionResult)
        return result

    async def mutate(self, name: str, input: dict[str, Any], selection: str = ERRORS) -> Any:
        """The payload of a mutation."""
        type_ = name[0].upper() + name[1:] + "Input"
        document = f"mutation M($input: {type_}!) {{ {name}(input: $input) {{ {selection} }} }}"
        result = await self.run(document, input=input)
        assert not result.errors, result.errors
        assert result.data is not None
        return result.data[name]

    def request(self) -> ActionRequest:
        """The only thing that the actor was asked."""
        ((_, request, _),) = self.actor.asked
        assert isinstance(request, ActionRequest)
        return request


@pytest.fixture
def desk() -> Desk:
    made = fleet()
    made.mirror.put_cluster(cluster("east"))
    made.put(web())
    return Desk(made, ToldActor(well))


def web() -> RolloutView:
    return view("canary-paused-at-step-3", patch={"metadata": {"namespace": "shop", "name": "web"}})


RUN = global_id("AnalysisRun", "east", "shop", "web", "web-7c4-2")
EXPERIMENT = global_id("Experiment", "east", "shop", "web", "web-exp")
LATER = "2026-05-12T10:00:00Z"


MUTATIONS: list[tuple[str, dict[str, Any], actions.Action]] = [
    ("promoteRollout", KEY, actions.Promote()),
    ("promoteRolloutFull", KEY, actions.PromoteFull()),
    ("skipRolloutStep", KEY, actions.SkipStep()),
    ("jumpToRolloutStep", KEY | {"toStepIndex": 0}, actions.JumpToStep(0)),
    ("abortRollout", KEY, actions.Abort()),
    ("retryRollout", KEY, actions.Retry()),
    ("pauseRollout", KEY, actions.Pause()),
    ("resumeRollout", KEY, actions.Resume()),
    ("restartRollout", KEY, actions.Restart(NOW)),
    (
        "restartRollout",
        KEY | {"at": LATER},
        actions.Restart(datetime.fromisoformat(LATER)),
    ),
    ("undoRollout", KEY, actions.Undo()),
    ("undoRollout", KEY | {"toRevision": 3, "full": True}, actions.Undo(3, True)),
    (
        "setRolloutImage",
        KEY | {"container": "*", "image": "web@sha256:ab"},
        actions.SetImage("*", "web@sha256:ab"),
    ),
    ("terminateAnalysisRun", {"id": RUN}, actions.TerminateAnalysisRun("web-7c4-2")),
    ("terminateExperiment", {"id": EXPERIMENT}, actions.TerminateExperiment("web-exp")),
]


@pytest.mark.parametrize(
    ("name", "input", "expected"), MUTATIONS, ids=[str(asked) for *_, asked in MUTATIONS]
)
async def test_a_mutation_asks_for_its_action(
    desk: Desk, name: str, input: dict[str, Any], expected: actions.Action
) -> None:
    assert (await desk.mutate(name, input))["userErrors"] == []
    assert desk.request() == ActionRequest(WEB, expected)


async def test_every_mutation_of_one_rollout_has_the_verb_of_its_action() -> None:
    root = SCHEMA._schema.mutation_type
    assert root is not None
    told = {name for name, *_ in MUTATIONS} | {"bulkRolloutAction"}
    assert set(root.fields) == told


async def test_all_that_is_said_of_an_action_reaches_the_actor(desk: Desk) -> None:
    await desk.mutate(
        "promoteRollout",
        {
            "rollout": {"id": global_id("Rollout", "east", "shop", "web")},
            "expectedStepIndex": 3,
            "expectedPodTemplateHash": "7c4",
            "expectedResourceVersion": "41",
            "reason": "metrics are fine",
            "dryRun": True,
            "idempotencyKey": "4711",
        },
    )
    assert desk.actor.asked == [
        (
            "local",
            ActionRequest(
                WEB,
                actions.Promote(),
                Expected(3, "7c4", "41"),
                reason="metrics are fine",
                dry_run=True,
                idempotency_key="4711",
            ),
            "req-1",
        )
    ]


async def test_a_payload_tells_what_was_done_and_leads_back_to_everything(desk: Desk) -> None:
    found = await desk.mutate(
        "promoteRollout",
        KEY | {"clientMutationId": "m-1"},
        """
        clientMutationId operationId applied dryRun message stale
        resourceVersionBefore resourceVersionAfter
        patches { resource namespace name subresource type body sent }
        rollout { name phase }
        query { rollouts { totalCount } }
        userErrors { code }
        """,
    )
    assert found == {
        "clientMutationId": "m-1",
        "operationId": "op-1",
        "applied": True,
        "dryRun": False,
        "message": "ends the pause of step 2 of 6",
        "stale": False,
        "resourceVersionBefore": "41",
        "resourceVersionAfter": "42",
        "patches": [
            {
                "resource": "rollouts.argoproj.io",
                "namespace": "shop",
                "name": "web",
                "subresource": "status",
                "type": "MERGE",
                "body": {"status": {"pauseConditions": None}},
                "sent": True,
            }
        ],
        "rollout": {"name": "web", "phase": "PAUSED"},
        "query": {"rollouts": {"totalCount": 1}},
        "userErrors": [],
    }


NO_SCOPE = Decision(Layer.SCOPE, ("rollouts:promote",), "the token is narrower")


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        (acting.NotFound("gone"), {"__typename": "NotFoundError", "code": "NOT_FOUND"}),
        (
            acting.Forbidden("no", NO_SCOPE),
            {
                "__typename": "ForbiddenError",
                "code": "FORBIDDEN",
                "layer": "SCOPE",
                "action": "promote",
                "missingScopes": ["rollouts:promote"],
            },
        ),
        (
            acting.Forbidden("no", Decision(Layer.KUBERNETES_RBAC)),
            {"__typename": "ForbiddenError", "layer": "KUBERNETES_RBAC", "missingScopes": []},
        ),
        (
            acting.NotApplicable("aborted", retryable=True),
            {
                "__typename": "NotApplicableError",
                "code": "NOT_APPLICABLE",
                "phase": "PAUSED",
                "retryable": True,
            },
        ),
        (
            acting.Conflict("moved", "41", "43", 4, "9f1", retryable=True),
            {
                "__typename": "ConflictError",
                "code": "CONFLICT",
                "retryable": True,
                "expectedResourceVersion": "41",
                "actualResourceVersion": "43",
                "currentStepIndex": 4,
                "currentPodTemplateHash": "9f1",
            },
        ),
        (
            acting.ClusterUnavailable("dead", "east", NOW),
            {
                "__typename": "ClusterUnavailableError",
                "code": "CLUSTER_UNAVAILABLE",
                "retryable": True,
                "cluster": {"name": "east"},
                "lastSeenAt": "2026-05-12T09:02:00Z",
            },
        ),
        (
            acting.InvalidInput("twice", ("idempotencyKey",)),
            {
                "__typename": "InvalidInputError",
                "code": "INVALID_INPUT",
                "path": ["input", "idempotencyKey"],
            },
        ),
        (
            acting.KubernetesRejected("bad image", 422, "Invalid"),
            {
                "__typename": "KubernetesRejectedError",
                "code": "KUBERNETES_REJECTED",
                "httpStatus": 422,
                "kubernetesReason": "Invalid",
            },
        ),
        (
            acting.TimedOut("who knows", unknown=True),
            {"__typename": "TimeoutError", "code": "TIMEOUT", "unknown": True, "retryable": True},
        ),
    ],
    ids=[
        "not found",
        "forbidden by a scope",
        "forbidden by the cluster",
        "not applicable",
        "conflict",
        "cluster unavailable",
        "invalid input",
        "rejected",
        "timed out",
    ],
)
async def test_a_failure_is_told_by_its_own_type(
    desk: Desk, failure: acting.Failure, expected: dict[str, Any]
) -> None:
    desk.actor = ToldActor(failing(failure))
    (error,) = (await desk.mutate("promoteRollout", KEY))["userErrors"]
    assert error["message"] == failure.message
    assert expected.items() <= error.items()


async def test_what_broke_halfway_tells_both_what_was_sent_and_what_failed(desk: Desk) -> None:
    def halfway(request: ActionRequest) -> Outcome:
        return Outcome(
            ref=request.ref,
            verb=Verb.PROMOTE,
            operation_id="op-1",
            patches=(PATCH, PATCH),
            sent=1,
            failure=acting.ClusterUnavailable("dead", "east"),
        )

    desk.actor = ToldActor(halfway)
    found = await desk.mutate(
        "promoteRollout", KEY, "applied message patches { sent } userErrors { code }"
    )
    assert found == {
        "applied": True,
        "message": None,
        "patches": [{"sent": True}, {"sent": False}],
        "userErrors": [{"code": "CLUSTER_UNAVAILABLE"}],
    }


async def test_what_is_not_applicable_tells_what_is(desk: Desk) -> None:
    desk.actor = ToldActor(failing(acting.NotApplicable("not aborted")))
    (error,) = (await desk.mutate("retryRollout", KEY))["userErrors"]
    allowed = {item["action"] for item in error["viewerActions"] if item["allowed"]}
    assert {"PROMOTE", "ABORT"} <= allowed
    assert "RETRY" not in allowed


OTHER = global_id("Cluster", "east")


@pytest.mark.parametrize(
    ("name", "input", "path"),
    [
        ("promoteRollout", {"rollout": {"id": "garbage"}}, "rollout id"),
        ("promoteRollout", {"rollout": {"id": OTHER}}, "rollout id"),
        (
            "promoteRollout",
            {"rollout": {"id": global_id("Rollout", "east", "web")}},
            "rollout id",
        ),
        (
            "promoteRollout",
            {"rollout": {"key": {"cluster": "east", "namespace": "shop/web", "name": "x"}}},
            "rollout key",
        ),
        (
            "abortRollout",
            {"rollout": {"key": {"cluster": "east", "namespace": "shop", "name": "../secrets"}}},
            "rollout key",
        ),
        ("abortRollout", KEY | {"reason": "x" * 1025}, "reason"),
        ("abortRollout", KEY | {"idempotencyKey": "x" * 129}, "idempotencyKey"),
        ("terminateAnalysisRun", {"id": EXPERIMENT}, "id"),
        ("terminateExperiment", {"id": ""}, "id"),
    ],
)
async def test_an_input_that_makes_no_sense_reaches_nobody(
    desk: Desk, name: str, input: dict[str, Any], path: str
) -> None:
    found = await desk.mutate(name, input | {"clientMutationId": "m-1"}, BARE)
    assert found == {
        "clientMutationId": "m-1",
        "operationId": None,
        "applied": False,
        "rollout": None,
        "userErrors": [{"code": "INVALID_INPUT", "path": ["input", *path.split()]}],
    }
    assert desk.actor.asked == []


BARE = "clientMutationId operationId applied rollout { name } userErrors { code path }"


@pytest.mark.parametrize("rollout", [{}, {"id": "a", "key": KEY["rollout"]["key"]}, {"id": None}])
async def test_a_rollout_is_named_in_one_way(desk: Desk, rollout: dict[str, Any]) -> None:
    document = "mutation M($r: RolloutRefInput!) { abortRollout(input: {rollout: $r}) { applied } }"
    result = await desk.run(document, r=rollout)
    assert result.errors
    assert desk.actor.asked == []


@pytest.mark.parametrize(
    ("rights", "layer"),
    [
        (Some(shown=lambda _: True, verbs=[Verb.ABORT]), Layer.CASBIN),
        (
            Some(shown=lambda _: True, verbs=[Verb.PROMOTE]).narrowed(Scope.READ),
            Layer.SCOPE,
        ),
    ],
    ids=["no policy", "a narrow token"],
)
async def test_who_may_not_is_told_by_the_actor_so_that_the_audit_has_it(
    desk: Desk, rights: Some, layer: Layer
) -> None:
    def decides(request: ActionRequest) -> Outcome:
        decision = rights.may(Verb.PROMOTE, request.ref)
        return failing(acting.Forbidden(decision.message, decision))(request)

    desk.actor, desk.caller = ToldActor(decides), Caller(rights)
    (error,) = (await desk.mutate("promoteRollout", KEY))["userErrors"]
    assert (error["code"], error["layer"]) == ("FORBIDDEN", layer)
    assert [who for who, *_ in desk.actor.asked] == ["ann@example.com"]


async def test_a_rollout_that_the_viewer_does_not_see_is_in_no_payload(desk: Desk) -> None:
    desk.caller = Caller(Some(verbs=[Verb.PROMOTE]))
    desk.actor = ToldActor(failing(acting.NotApplicable("no")))
    found = await desk.mutate(
        "promoteRollout",
        KEY,
        "rollout { name } userErrors { ... on NotApplicableError { phase } }",
    )
    assert found == {"rollout": None, "userErrors": [{"phase": "UNKNOWN"}]}


async def test_mutations_of_one_request_come_after_each_other(desk: Desk) -> None:
    document = """
    mutation M($r: RolloutRefInput!) {
      first: pauseRollout(input: {rollout: $r}) { applied }
      second: abortRollout(input: {rollout: $r}) { applied }
    }
    """
    result = await desk.run(document, r=KEY["rollout"])
    assert result.data == {"first": {"applied": True}, "second": {"applied": True}}
    asked = [request.action for _, request, _ in desk.actor.asked]
    assert asked == [actions.Pause(), actions.Abort()]
