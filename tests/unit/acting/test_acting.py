"""An action is carried out once, on the rollout as it is, and what came of it is told truly."""

import anyio
import pytest

from fakes.hands import Stage, acting, after, failing, lost, silent, swallowed
from rollgraph.access.caller import ANYBODY
from rollgraph.acting.outcome import (
    ClusterUnavailable,
    Conflict,
    KubernetesRejected,
    NotApplicable,
    NotFound,
    Outcome,
    TimedOut,
)
from rollgraph.acting.request import Expected
from rollgraph.core.actions.action import (
    Abort,
    Pause,
    Promote,
    PromoteFull,
    Restart,
    SetImage,
    SkipStep,
    Undo,
)
from rollgraph.core.audit import Result
from rollgraph.core.connection import ConnectionStatus
from rollgraph.core.errors import (
    ForbiddenError,
    InvalidRequestError,
    ServerError,
    TooManyRequestsError,
    UnauthenticatedError,
    UnreachableError,
)
from rollgraph.core.refs import RolloutRef
from rollgraph.core.verbs import Verb


@pytest.fixture
async def stage() -> Stage:
    return Stage("cart")


async def act(stage: Stage, action: object, **rest: object) -> Outcome:
    actor = await stage.actor()
    return await actor.act(ANYBODY, acting("cart", action, **rest), "r1")  # type: ignore[arg-type]


async def test_a_rollout_is_read_planned_and_patched(stage: Stage) -> None:
    before = stage.rollout("cart")["metadata"]

    outcome = await act(stage, Promote())

    assert (outcome.applied, outcome.failure, outcome.stale) == (True, None, False)
    assert outcome.message == "ends the pause of step 2 of 5 (pause)"
    assert (outcome.before, outcome.uid) == (before["resourceVersion"], before["uid"])
    assert int(outcome.after) > int(outcome.before)
    assert [patch.subresource for patch in outcome.patches] == ["status"]
    assert stage.step("cart") == 3
    assert stage.patcher.verbs == ["get", "patch"]


async def test_the_audit_is_told(stage: Stage) -> None:
    outcome = await act(stage, Promote(), reason="looks good")

    (entry,) = stage.audit
    assert (entry.verb, entry.result) == (Verb.PROMOTE, Result.APPLIED)
    assert (entry.viewer.subject, entry.reason) == ("local", "looks good")
    assert (entry.operation, entry.request_id) == (outcome.operation_id, "r1")
    assert (entry.version_before, entry.version_after) == (outcome.before, outcome.after)
    assert entry.acted_as == "rollgraph"


async def test_what_is_so_already_needs_no_patch(stage: Stage) -> None:
    await act(stage, Pause())
    outcome = await act(stage, Pause())

    assert (outcome.applied, outcome.failure, outcome.patches) == (False, None, ())
    assert stage.audit[-1].result is Result.UNCHANGED


async def test_a_dry_run_is_sent_and_changes_nothing(stage: Stage) -> None:
    before = stage.rollout("cart")

    outcome = await act(stage, Promote(), dry_run=True)

    assert stage.patcher.verbs == ["get", "try"]
    assert stage.rollout("cart") == before
    assert (outcome.applied, outcome.dry_run, len(outcome.patches)) == (False, True, 1)
    assert stage.audit[-1].result is Result.DRY_RUN


@pytest.mark.parametrize(
    ("expected", "words"),
    [
        (Expected(step_index=3), "1 of 5 steps are done, not 3"),
        (Expected(pod_template_hash="nope"), "not nope"),
        (Expected(resource_version="1"), "not 1"),
    ],
)
async def test_what_is_not_where_it_was_seen_is_left_alone(
    stage: Stage, expected: Expected, words: str
) -> None:
    outcome = await act(stage, Promote(), expected=expected)

    assert isinstance(outcome.failure, Conflict)
    assert words in outcome.failure.message
    assert outcome.failure.step_index == 1
    assert outcome.failure.expected == expected.resource_version
    assert outcome.failure.actual == outcome.before
    assert stage.patcher.verbs == ["get"]


async def test_the_controller_writing_in_between_is_no_conflict(stage: Stage) -> None:
    heartbeat = {"metadata": {"annotations": {"beat": "1"}}}
    stage.patcher.on_patch.append(after(lambda: stage.change("cart", heartbeat)))

    outcome = await act(stage, Promote())

    assert outcome.applied
    assert stage.patcher.verbs == ["get", "patch", "get", "patch"]
    assert len(outcome.patches) == 1


async def test_of_two_who_promote_the_second_is_told_where_it_is(stage: Stage) -> None:
    def somebody() -> None:
        stage.change("cart", {"status": {"pauseConditions": None, "currentStepIndex": 2}})
        stage.react()

    stage.patcher.on_patch.append(after(somebody))

    outcome = await act(stage, Promote())

    assert isinstance(outcome.failure, Conflict)
    assert outcome.failure.step_index == 3
    assert not outcome.failure.retryable
    assert stage.step("cart") == 3
    assert not outcome.applied


async def test_two_at_the_same_moment_promote_one_step() -> None:
    stage = Stage("cart")
    actor = await stage.actor()
    outcomes: list[Outcome] = []

    async def promote() -> None:
        outcomes.append(await actor.act(ANYBODY, acting("cart", Promote())))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(promote)
        tasks.start_soon(promote)

    assert sorted(outcome.applied for outcome in outcomes) == [False, True]
    (loser,) = (outcome for outcome in outcomes if not outcome.applied)
    assert isinstance(loser.failure, Conflict)
    assert loser.failure.step_index == stage.step("cart") == 3


async def test_who_always_comes_too_late_is_told_so(stage: Stage) -> None:
    for number in range(5):
        beat = {"metadata": {"annotations": {"beat": str(number)}}}
        stage.patcher.on_patch.append(after(lambda beat=beat: stage.change("cart", beat)))  # type: ignore[misc]

    outcome = await act(stage, Promote())

    assert isinstance(outcome.failure, Conflict)
    assert outcome.failure.retryable
    assert stage.patcher.verbs == ["get", "patch"] * 5
    assert (outcome.patches, outcome.applied) == ((), False)


async def test_what_is_meant_for_one_version_does_not_hit_the_next(stage: Stage) -> None:
    def somebody() -> None:
        stage.new_version("cart", "web:3")
        stage.react()

    stage.patcher.on_patch.append(after(somebody))

    outcome = await act(stage, Abort())

    assert isinstance(outcome.failure, Conflict)
    assert "abort" not in stage.rollout("cart")["status"]


# -- answers that get lost -----------------------------------------------------------------------


async def test_an_answer_that_got_lost_is_found_by_reading_back(stage: Stage) -> None:
    stage.patcher.on_patch.append(lost)

    outcome = await act(stage, Pause())

    assert (outcome.applied, outcome.failure) == (True, None)
    assert stage.patcher.verbs == ["get", "patch", "get"]
    assert outcome.after == stage.rollout("cart")["metadata"]["resourceVersion"]


async def test_what_never_arrived_is_sent_again(stage: Stage) -> None:
    stage.patcher.on_patch.append(swallowed)

    outcome = await act(stage, Pause())

    assert (outcome.applied, outcome.failure) == (True, None)
    assert stage.patcher.verbs == ["get", "patch", "get", "patch"]


async def test_what_cannot_be_told_is_not_called_done(stage: Stage) -> None:
    """The patch was carried out, and the controller has moved on since: nothing proves either."""
    stage.patcher.on_patch.append(lost)

    outcome = await act(stage, Promote())

    assert stage.step("cart") == 3
    assert isinstance(outcome.failure, TimedOut)
    assert outcome.failure.unknown
    assert "may have been done" in outcome.failure.message
    assert stage.audit[-1].result is Result.UNKNOWN


async def test_a_cluster_that_dies_in_the_middle_leaves_it_unknown(stage: Stage) -> None:
    stage.patcher.on_patch.append(lost)
    stage.patcher.on_get.extend([after(lambda: None), *[failing(UnreachableError("gone"))] * 60])

    outcome = await act(stage, Pause())

    assert isinstance(outcome.failure, TimedOut)
    assert outcome.failure.unknown
    assert not outcome.applied
    assert anyio.current_time() <= 10.0


async def test_so_does_one_that_falls_silent(stage: Stage) -> None:
    stage.patcher.on_patch.append(silent)
    stage.patcher.on_get.extend([after(lambda: None), silent])

    outcome = await act(stage, Pause())

    assert isinstance(outcome.failure, TimedOut)
    assert outcome.failure.unknown
    assert anyio.current_time() <= 10.0


async def test_one_that_comes_back_is_asked_what_became_of_it(stage: Stage) -> None:
    stage.patcher.on_patch.append(lost)
    stage.patcher.on_get.extend([after(lambda: None), *[failing(UnreachableError("gone"))] * 3])

    outcome = await act(stage, Pause())

    assert (outcome.applied, outcome.failure) == (True, None)


async def test_a_server_that_fails_each_time_has_rejected_it(stage: Stage) -> None:
    error = ServerError("etcdserver: no leader", code=500, reason="InternalError")
    stage.patcher.on_patch.extend([failing(error)] * 3)

    outcome = await act(stage, Pause())

    assert isinstance(outcome.failure, KubernetesRejected)
    assert (outcome.failure.http_status, outcome.failure.retryable) == (500, True)


async def test_after_its_store_timed_out_it_is_unknown(stage: Stage) -> None:
    error = ServerError("etcdserver: request timed out", code=504, reason="Timeout")
    stage.patcher.on_patch.extend([failing(error)] * 3)

    outcome = await act(stage, Pause())

    assert isinstance(outcome.failure, TimedOut)
    assert outcome.failure.unknown


# -- plans of several patches --------------------------------------------------------------------


async def test_several_patches_are_sent_with_the_version_of_the_one_before(stage: Stage) -> None:
    await act(stage, Pause())
    stage.patcher.asked.clear()

    outcome = await act(stage, Promote())

    assert outcome.failure is None
    assert outcome.sent == len(outcome.patches) == 2
    assert stage.rollout("cart")["spec"]["paused"] is False


async def test_what_was_done_in_part_says_which(stage: Stage) -> None:
    await act(stage, Pause())
    refused = InvalidRequestError("denied by a webhook", code=422, reason="Invalid")
    stage.patcher.on_patch.extend([after(lambda: None), failing(refused)])

    outcome = await act(stage, Promote())

    assert isinstance(outcome.failure, KubernetesRejected)
    assert outcome.failure.message.startswith("done in part only (")
    assert "denied by a webhook" in outcome.failure.message
    assert (outcome.applied, outcome.sent, len(outcome.patches)) == (True, 1, 2)
    assert stage.audit[-1].result is Result.FAILED


async def test_the_rest_is_not_sent_to_a_rollout_that_has_moved(stage: Stage) -> None:
    await act(stage, Pause())
    stage.patcher.on_patch.extend(
        [after(lambda: None), after(lambda: stage.new_version("cart", "web:3"))]
    )

    outcome = await act(stage, Promote())

    assert isinstance(outcome.failure, Conflict)
    assert (outcome.applied, outcome.sent) == (True, 1)


# -- the controller ------------------------------------------------------------------------------


async def test_a_full_promotion_waits_until_the_new_version_is_seen() -> None:
    stage = Stage("cart")
    stage.new_version("cart", "web:3")
    actor = await stage.actor()

    async with anyio.create_task_group() as tasks:

        async def later() -> None:
            await anyio.sleep(2)
            stage.react()

        tasks.start_soon(later)
        outcome = await actor.act(ANYBODY, acting("cart", PromoteFull()))

    assert (outcome.applied, outcome.failure) == (True, None)
    status = stage.rollout("cart")["status"]
    assert status["currentPodHash"] == status["stableRS"]


@pytest.mark.parametrize("when", ["before the patch", "after the patch"])
async def test_a_version_whose_hash_is_told_late_is_promoted_all_the_same(when: str) -> None:
    """The controller tells that it has seen a generation before it tells its template's hash."""
    stage = Stage("cart")
    stage.new_version("cart", "web:3")
    generation = stage.rollout("cart")["metadata"]["generation"]
    old = stage.rollout("cart")["status"]["currentPodHash"]
    stage.change("cart", {"status": {"observedGeneration": str(generation)}})
    if when == "before the patch":
        stage.patcher.on_patch.append(after(stage.react))

    outcome = await act(stage, PromoteFull())

    assert (outcome.applied, outcome.failure) == (True, None)
    status = stage.rollout("cart")["status"]
    assert status["currentPodHash"] == status["stableRS"] != old


async def test_a_full_promotion_is_not_for_a_version_that_comes_in_between(stage: Stage) -> None:
    def somebody() -> None:
        stage.new_version("cart", "web:3")
        stage.react()

    stage.patcher.on_patch.append(after(somebody))

    outcome = await act(stage, PromoteFull())

    assert isinstance(outcome.failure, Conflict)
    assert "its template is" in outcome.failure.message


async def test_a_controller_that_does_not_run_is_named(stage: Stage) -> None:
    stage.new_version("cart", "web:3")

    outcome = await act(stage, PromoteFull())

    assert isinstance(outcome.failure, NotApplicable)
    assert outcome.failure.retryable
    assert 14 <= anyio.current_time() <= 15


async def test_a_full_promotion_that_nobody_takes_is_told_so(stage: Stage) -> None:
    stage.reacts = False

    outcome = await act(stage, PromoteFull())

    assert (outcome.applied, outcome.failure) == (True, None)
    assert outcome.message.endswith("the controller has not taken it yet")


async def test_an_undo_in_full_is_promoted_once_it_is_seen() -> None:
    stage = Stage("cart")
    actor = await stage.actor()
    await actor.act(ANYBODY, acting("cart", PromoteFull()))
    first = stage.rollout("cart")["spec"]["template"]

    outcome = await actor.act(ANYBODY, acting("cart", Undo(full=True)))

    assert (outcome.applied, outcome.failure) == (True, None)
    after_it = stage.rollout("cart")
    assert after_it["spec"]["template"] != first
    assert after_it["status"]["currentPodHash"] == after_it["status"]["stableRS"]


async def test_an_undo_that_is_never_seen_is_told_as_done_in_part(stage: Stage) -> None:
    stage.reacts = False

    outcome = await act(stage, Undo(full=True))

    assert isinstance(outcome.failure, TimedOut | NotApplicable)
    assert outcome.failure.message.startswith("done in part only (brings back revision 1")
    assert (outcome.applied, outcome.sent) == (True, 1)


# -- what a spoke says ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "failure", "retryable"),
    [
        (UnreachableError("no connection"), ClusterUnavailable, True),
        (ForbiddenError("no", code=403), "KUBERNETES_RBAC", False),
        (InvalidRequestError("no", code=422, reason="Invalid"), KubernetesRejected, False),
        (UnauthenticatedError("no", code=401), ClusterUnavailable, False),
    ],
)
async def test_a_refusal_of_the_spoke_changes_nothing(
    stage: Stage, error: UnreachableError, failure: object, retryable: bool
) -> None:
    stage.patcher.on_patch.extend([failing(error)] * 2)

    outcome = await act(stage, Promote())

    assert outcome.failure is not None
    if isinstance(failure, type):
        assert isinstance(outcome.failure, failure)
    else:
        assert outcome.failure.decision.refused_by == failure  # type: ignore[union-attr]
    assert outcome.failure.retryable is retryable
    assert not outcome.applied


async def test_credentials_that_have_ended_are_had_anew(stage: Stage) -> None:
    stage.patcher.on_get.append(failing(UnauthenticatedError("expired", code=401)))

    outcome = await act(stage, Promote())

    assert outcome.applied
    assert stage.opened == 2
    assert stage.patcher.closed


async def test_who_is_asked_to_wait_waits(stage: Stage) -> None:
    stage.patcher.on_patch.append(failing(TooManyRequestsError("busy", retry_after=2.0, code=429)))

    outcome = await act(stage, Promote())

    assert outcome.applied
    assert anyio.current_time() >= 2.0


async def test_a_silent_cluster_is_unavailable_in_time(stage: Stage) -> None:
    stage.patcher.on_get.append(silent)

    outcome = await act(stage, Promote())

    assert isinstance(outcome.failure, ClusterUnavailable)
    assert outcome.failure.cluster == "east"
    assert anyio.current_time() <= 10.0


async def test_an_action_ends_before_its_request_does(stage: Stage) -> None:
    stage.patcher.on_get.append(silent)
    with anyio.fail_after(3):
        outcome = await act(stage, Promote())
    assert isinstance(outcome.failure, ClusterUnavailable)


async def test_without_time_nothing_is_begun(stage: Stage) -> None:
    with anyio.fail_after(0.3):
        outcome = await act(stage, Promote())
    assert isinstance(outcome.failure, TimedOut)
    assert not outcome.failure.unknown
    assert stage.patcher.asked == []


async def test_what_does_not_exist_is_not_found(stage: Stage) -> None:
    actor = await stage.actor()
    for ref in (
        RolloutRef("east", "shop", "nope"),
        RolloutRef("nowhere", "shop", "cart"),
    ):
        outcome = await actor.act(ANYBODY, acting("cart", Promote()).__class__(ref, Promote()))
        assert isinstance(outcome.failure, NotFound), ref


async def test_a_namespace_that_is_not_watched_is_not_acted_in() -> None:
    stage = Stage("cart", namespaces=("payments",))

    outcome = await act(stage, Promote())

    assert isinstance(outcome.failure, NotFound)
    assert stage.patcher.asked == []


# -- reading afterwards --------------------------------------------------------------------------


async def test_the_answer_waits_until_it_can_be_read(stage: Stage) -> None:
    stage.reacts = False
    actor = await stage.actor()

    async with anyio.create_task_group() as tasks:

        async def watch() -> None:
            await anyio.sleep(0.2)
            stage.publish()

        tasks.start_soon(watch)
        outcome = await actor.act(ANYBODY, acting("cart", SkipStep()))

    view = stage.mirror.rollout(RolloutRef("east", "shop", "cart"))
    assert view is not None
    assert view.rollout.metadata.resource_version == outcome.after
    assert not outcome.stale
    assert anyio.current_time() < 0.5


async def test_a_late_watch_makes_the_answer_stale(stage: Stage) -> None:
    stage.reacts = False

    outcome = await act(stage, SkipStep())

    assert (outcome.applied, outcome.stale) == (True, True)
    assert anyio.current_time() <= 2.1


async def test_a_broken_watch_is_not_waited_for(stage: Stage) -> None:
    stage.reacts = False
    stage.connection(ConnectionStatus.DISCONNECTED)

    outcome = await act(stage, SkipStep())

    assert outcome.stale
    assert anyio.current_time() < 0.1


async def test_being_cancelled_waits_for_what_is_under_way(stage: Stage) -> None:
    actor = await stage.actor()
    with anyio.CancelScope() as scope:

        def hang_up() -> None:
            scope.cancel()

        stage.patcher.on_patch.append(after(hang_up))
        await actor.act(ANYBODY, acting("cart", Promote()))

    assert stage.step("cart") == 3
    assert [entry.result for entry in stage.audit] == [Result.APPLIED]


async def test_every_verb_reaches_the_cluster(stage: Stage) -> None:
    for action in (SetImage("web", "web:3"), Restart(stage.clock.now()), Abort()):
        outcome = await act(stage, action)
        assert outcome.applied, outcome


# -- without a read ------------------------------------------------------------------------------


@pytest.fixture
async def watched(stage: Stage) -> Stage:
    """Its watch can be relied on."""
    stage.connection(ConnectionStatus.CONNECTED)
    return stage


async def test_what_is_watched_need_not_be_read_first(watched: Stage) -> None:
    before = watched.rollout("cart")["metadata"]

    outcome = await act(watched, Promote())

    assert (outcome.applied, outcome.failure) == (True, None)
    assert watched.patcher.verbs == ["patch"]
    assert (outcome.before, outcome.uid) == (before["resourceVersion"], before["uid"])


async def test_the_spoke_checks_that_it_is_still_so(watched: Stage) -> None:
    watched.change("cart", {"metadata": {"annotations": {"beat": "1"}}})  # not watched yet

    outcome = await act(watched, Promote())

    assert (outcome.applied, watched.step("cart")) == (True, 3)
    assert watched.patcher.verbs == ["patch", "get", "patch"]
    assert len(outcome.patches) == 1


async def test_what_the_watch_has_not_brought_is_a_conflict(watched: Stage) -> None:
    """Whoever promotes has seen the step that is watched, and means no other."""
    watched.change("cart", {"status": {"pauseConditions": None, "currentStepIndex": 2}})
    watched.simulation.act(watched.clock.now())

    outcome = await act(watched, Promote())

    assert isinstance(outcome.failure, Conflict)
    assert outcome.failure.step_index == watched.step("cart") == 3


async def test_nothing_is_refused_without_a_look(watched: Stage) -> None:
    watched.change("cart", {"spec": {"paused": True}})
    watched.publish()
    watched.change("cart", {"spec": {"paused": False}})

    outcome = await act(watched, Pause())

    assert outcome.applied
    assert watched.patcher.verbs == ["get", "patch"]


async def test_of_two_at_the_same_moment_one_wins_without_a_read(watched: Stage) -> None:
    actor = await watched.actor()
    outcomes: list[Outcome] = []

    async def promote() -> None:
        outcomes.append(await actor.act(ANYBODY, acting("cart", Promote())))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(promote)
        tasks.start_soon(promote)

    assert sorted(outcome.applied for outcome in outcomes) == [False, True]
    assert watched.step("cart") == 3
