"""One action on many rollouts: what is asked of the actor, and each rollout's own outcome."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from fakes.actor import ToldActor
from rollgraph.acting import outcome as acting
from rollgraph.acting.outcome import BulkOutcome, Outcome
from rollgraph.acting.request import MAX_BULK, BulkRequest, Listed, Matching
from rollgraph.core import filtering
from rollgraph.core.actions import action as actions
from rollgraph.core.phase import Phase
from rollgraph.core.refs import RolloutRef
from rollgraph.schema.ids import global_id
from unit.schema.asking import NOW, cluster, fleet, view
from unit.schema.test_mutations import Desk, well

PAYLOAD = """
  clientMutationId operationId dryRun succeeded failed skipped token tokenExpiresAt
  results { applied rollout { name } userErrors { code } }
  userErrors { __typename code path }
"""


def bulk(request: BulkRequest) -> BulkOutcome:
    """Every other rollout fails; those of a filter are `web` and `db`."""
    listed = request.targets
    refs = listed.refs if isinstance(listed, Listed) else (ref("web"), ref("db"))
    outcomes = [
        Outcome(
            ref=each,
            verb=request.action.verb,
            operation_id="op-9",
            sent=1 - place % 2,
            failure=acting.NotApplicable("no") if place % 2 else None,
        )
        for place, each in enumerate(refs)
    ]
    dry = isinstance(request.targets, Matching) and request.dry_run
    return BulkOutcome(
        operation_id="op-9",
        outcomes=tuple(outcomes),
        token="t-1" if dry else "",
        expires_at=NOW + timedelta(minutes=10) if dry else None,
    )


def ref(name: str) -> RolloutRef:
    return RolloutRef("east", "shop", name)


def by_id(name: str) -> dict[str, str]:
    return {"id": global_id("Rollout", "east", "shop", name)}


@pytest.fixture
def desk() -> Desk:
    made = fleet()
    made.mirror.put_cluster(cluster("east"))
    for name in ("web", "db"):
        made.put(view("canary-healthy", patch={"metadata": {"namespace": "shop", "name": name}}))
    return Desk(made, ToldActor(well, bulk))


async def run(desk: Desk, **input: Any) -> Any:
    """The payload."""
    return await desk.mutate("bulkRolloutAction", input, PAYLOAD)


async def test_each_rollout_of_a_list_has_its_outcome_in_the_order_asked(desk: Desk) -> None:
    targets = {"rollouts": [by_id("web"), {"key": key("db")}, {"key": key("nobody")}]}
    found = await run(
        desk,
        action="ABORT",
        targets=targets,
        reason="outage",
        stopOnFirstError=True,
        idempotencyKey="k",
        clientMutationId="m",
    )
    assert found == {
        "clientMutationId": "m",
        "operationId": "op-9",
        "dryRun": False,
        "succeeded": 2,
        "failed": 1,
        "skipped": 0,
        "token": None,
        "tokenExpiresAt": None,
        "results": [
            {"applied": True, "rollout": {"name": "web"}, "userErrors": []},
            {
                "applied": False,
                "rollout": {"name": "db"},
                "userErrors": [{"code": "NOT_APPLICABLE"}],
            },
            {"applied": True, "rollout": None, "userErrors": []},
        ],
        "userErrors": [],
    }
    ((_, request, request_id),) = desk.actor.asked
    assert request_id == "req-1"
    assert request == BulkRequest(
        actions.Abort(),
        Listed((ref("web"), ref("db"), ref("nobody"))),
        reason="outage",
        stop_on_first_error=True,
        idempotency_key="k",
    )


def key(name: str) -> dict[str, str]:
    return {"cluster": "east", "namespace": "shop", "name": name}


async def test_a_filter_is_shown_first_and_then_run_with_the_token(desk: Desk) -> None:
    targets = {"filter": {"phase": ["PAUSED"]}}
    shown = await run(desk, action="PROMOTE", targets=targets, dryRun=True)
    assert (shown["token"], shown["tokenExpiresAt"]) == ("t-1", "2026-05-12T09:12:00Z")
    done = await run(desk, action="PROMOTE", targets=targets, token=shown["token"])
    assert done["token"] is None
    wanted = filtering.RolloutFilter(phase=(Phase.PAUSED,))
    assert [request for _, request, _ in desk.actor.asked] == [
        BulkRequest(actions.Promote(), Matching(wanted), dry_run=True),
        BulkRequest(actions.Promote(), Matching(wanted, "t-1")),
    ]


async def test_what_was_not_begun_has_not_failed(desk: Desk) -> None:
    def stopped(request: BulkRequest) -> BulkOutcome:
        failed, skipped = bulk(request).outcomes[1], acting.NotApplicable("not begun")
        rest = msgspec.structs.replace(failed, failure=skipped, begun=False)
        return BulkOutcome(operation_id="op-9", outcomes=(failed, rest, rest))

    desk.actor = ToldActor(well, stopped)
    targets = {"rollouts": [by_id("web"), by_id("db"), by_id("api")]}
    found = await run(desk, action="ABORT", targets=targets, stopOnFirstError=True)
    assert (found["succeeded"], found["failed"], found["skipped"]) == (0, 1, 2)
    assert [len(item["userErrors"]) for item in found["results"]] == [1, 1, 1]


async def test_why_nothing_was_begun_is_told_beside_the_results(desk: Desk) -> None:
    failure = acting.InvalidInput("run it with dryRun first", ("token",))
    desk.actor = ToldActor(well, lambda _: BulkOutcome(operation_id="op-9", failure=failure))
    found = await run(desk, action="PROMOTE", targets={"filter": {}})
    assert (found["results"], found["userErrors"]) == (
        [],
        [{"__typename": "InvalidInputError", "code": "INVALID_INPUT", "path": ["input", "token"]}],
    )


@pytest.mark.parametrize(
    ("action", "arguments", "expected"),
    [
        ("PROMOTE_FULL", {}, actions.PromoteFull()),
        ("SKIP_STEP", {}, actions.SkipStep()),
        ("RETRY", {}, actions.Retry()),
        ("PAUSE", {}, actions.Pause()),
        ("RESUME", {}, actions.Resume()),
        ("JUMP_TO_STEP", {"toStepIndex": 0}, actions.JumpToStep(0)),
        ("RESTART", {}, actions.Restart(NOW)),
        ("UNDO", {}, actions.Undo()),
        ("UNDO", {"toRevision": 2, "full": True}, actions.Undo(2, True)),
        ("SET_IMAGE", {"container": "app", "image": "web:2"}, actions.SetImage("app", "web:2")),
    ],
    ids=str,
)
async def test_each_action_takes_the_arguments_of_its_own_mutation(
    desk: Desk, action: str, arguments: dict[str, Any], expected: actions.Action
) -> None:
    await run(desk, action=action, targets={"rollouts": [by_id("web")]}, **arguments)
    ((_, request, _),) = desk.actor.asked
    assert request.action == expected


ONE = {"rollouts": [by_id("web")]}


@pytest.mark.parametrize(
    ("input", "path"),
    [
        ({"action": "TERMINATE", "targets": ONE}, "action"),
        ({"action": "SET_IMAGE", "targets": ONE, "image": "web:2"}, "container"),
        ({"action": "SET_IMAGE", "targets": ONE, "container": "app"}, "image"),
        ({"action": "JUMP_TO_STEP", "targets": ONE}, "toStepIndex"),
        ({"action": "ABORT", "targets": ONE, "full": True}, "full"),
        ({"action": "RESTART", "targets": ONE, "toRevision": 1}, "toRevision"),
        ({"action": "UNDO", "targets": ONE, "at": "2026-05-12T10:00:00Z"}, "at"),
        ({"action": "ABORT", "targets": ONE, "token": "t-1"}, "token"),
        ({"action": "ABORT", "targets": {"rollouts": []}}, "targets rollouts"),
        (
            {"action": "ABORT", "targets": {"rollouts": [by_id("web"), {"key": key("web")}]}},
            "targets rollouts 1",
        ),
        (
            {"action": "ABORT", "targets": {"rollouts": [by_id("web"), {"id": "garbage"}]}},
            "targets rollouts 1 id",
        ),
        ({"action": "ABORT", "targets": ONE, "reason": "x" * 2000}, "reason"),
    ],
    ids=[
        "terminate",
        "no container",
        "no image",
        "no step",
        "full for an abort",
        "a revision for a restart",
        "a time for an undo",
        "a token for a list",
        "nothing",
        "twice the same",
        "one that is no id",
        "a long reason",
    ],
)
async def test_an_input_that_makes_no_sense_reaches_nobody(
    desk: Desk, input: dict[str, Any], path: str
) -> None:
    found = await run(desk, **input)
    (error,) = found["userErrors"]
    assert (error["code"], error["path"]) == ("INVALID_INPUT", ["input", *path.split()])
    assert (found["operationId"], desk.actor.asked) == (None, [])


async def test_a_list_is_bounded(desk: Desk) -> None:
    rollouts = [{"key": key(f"web-{n}")} for n in range(MAX_BULK + 1)]
    document = """
    mutation M($input: BulkRolloutActionInput!) {
      bulkRolloutAction(input: $input) { failed userErrors { message } }
    }
    """
    result = await desk.run(document, input={"action": "ABORT", "targets": {"rollouts": rollouts}})
    assert result.data is not None
    (error,) = result.data["bulkRolloutAction"]["userErrors"]
    assert error["message"] == "between 1 and 500 rollouts, got 501"
    rollouts.pop()
    result = await desk.run(document, input={"action": "ABORT", "targets": {"rollouts": rollouts}})
    assert result.data == {"bulkRolloutAction": {"failed": 250, "userErrors": []}}
