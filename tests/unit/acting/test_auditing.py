"""What the audit is told of what came of an action."""

import pytest

from rollgraph.acting.auditing import entry, result
from rollgraph.acting.outcome import (
    ClusterUnavailable,
    Conflict,
    Failure,
    Forbidden,
    InvalidInput,
    KubernetesRejected,
    NotApplicable,
    NotFound,
    Outcome,
    TimedOut,
)
from rollgraph.acting.request import ActionRequest
from rollgraph.core.actions.action import Abort, Action, Promote, TerminateAnalysisRun
from rollgraph.core.actions.plan import Patch, Resource
from rollgraph.core.audit import AuditEntry, Result
from rollgraph.core.decision import ALLOWED, Decision, Layer
from rollgraph.core.refs import ObjectKey, RolloutRef
from rollgraph.core.verbs import Verb
from rollgraph.core.viewer import Viewer

REF = RolloutRef("prod-eu", "shop", "checkout")
PATCH = Patch(
    Resource.ROLLOUT,
    ObjectKey("shop", "checkout"),
    {"status": {"abort": True}},
    subresource="status",
)
REFUSAL = Decision(Layer.SCOPE, ("rollouts:abort",), "the token lacks rollouts:abort")


def outcome(**changes: object) -> Outcome:
    fields: dict[str, object] = {"ref": REF, "verb": Verb.ABORT, "operation_id": "op-1"}
    return Outcome(**(fields | changes))  # type: ignore[arg-type]


def by_bob(action: Action, came_of_it: Outcome) -> AuditEntry:
    request = ActionRequest(REF, action)
    return entry(Viewer("bob"), request, came_of_it, seconds=0.1, request_id="")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (outcome(patches=(PATCH,), sent=1), Result.APPLIED),
        (outcome(), Result.UNCHANGED),
        (outcome(patches=(PATCH,), sent=1, dry_run=True), Result.DRY_RUN),
        (outcome(dry_run=True), Result.DRY_RUN),
    ],
)
def test_what_went_well(given: Outcome, expected: Result) -> None:
    assert result(given) is expected


@pytest.mark.parametrize(
    ("failure", "before", "halfway"),
    [
        (Forbidden("no", REFUSAL), Result.REFUSED, Result.FAILED),
        (NotFound("no"), Result.NOT_APPLICABLE, Result.FAILED),
        (NotApplicable("no"), Result.NOT_APPLICABLE, Result.FAILED),
        (InvalidInput("no"), Result.NOT_APPLICABLE, Result.FAILED),
        (Conflict("no"), Result.CONFLICT, Result.FAILED),
        (ClusterUnavailable("no", "prod-eu"), Result.FAILED, Result.FAILED),
        (KubernetesRejected("no", 422), Result.FAILED, Result.FAILED),
        (TimedOut("no"), Result.FAILED, Result.FAILED),
        (TimedOut("who knows", unknown=True), Result.UNKNOWN, Result.UNKNOWN),
    ],
)
def test_a_failure_after_the_first_patch_is_never_told_as_if_nothing_was_done(
    failure: Failure, before: Result, halfway: Result
) -> None:
    assert result(outcome(failure=failure)) is before
    assert result(outcome(failure=failure, patches=(PATCH, PATCH), sent=1)) is halfway


def test_an_entry_has_what_was_asked_and_what_came_of_it() -> None:
    alice = Viewer("alice")
    told = entry(
        alice,
        ActionRequest(REF, Abort(), reason="errors"),
        outcome(
            message="takes all traffic back",
            patches=(PATCH,),
            sent=1,
            before="1",
            after="2",
            uid="u",
            acted_as="alice",
        ),
        seconds=0.5,
        request_id="r",
    )
    assert told.viewer is alice
    assert (told.verb, told.result, told.decision) == (Verb.ABORT, Result.APPLIED, ALLOWED)
    assert (told.ref, told.uid, told.object) == (REF, "u", "")
    assert told.patches == ("rollouts.argoproj.io/status shop/checkout: status.abort",)
    assert (told.version_before, told.version_after) == ("1", "2")
    assert (told.reason, told.seconds, told.request_id) == ("errors", 0.5, "r")
    assert (told.operation, told.acted_as) == ("op-1", "alice")
    assert told.message == "takes all traffic back"


def test_a_refusal_has_the_layer() -> None:
    told = by_bob(Promote(), outcome(failure=Forbidden("you may not", REFUSAL)))
    assert told.decision is REFUSAL
    assert told.message == "you may not"


def test_a_terminated_run_is_named() -> None:
    told = by_bob(TerminateAnalysisRun("checkout-7d4-2"), outcome())
    assert told.object == "AnalysisRun/checkout-7d4-2"
