"""One action on many rollouts: each comes out by itself, and a filter is shown before it is run."""

from datetime import timedelta

import anyio
import pytest

from fakes.hands import CLUSTER, NAMESPACE, Stage, after, failing, silent
from rollgraph.access.caller import ANYBODY, Caller
from rollgraph.access.everything import Everything
from rollgraph.acting.actor import Actor
from rollgraph.acting.bulk import PER_CLUSTER
from rollgraph.acting.outcome import (
    ClusterUnavailable,
    Conflict,
    Forbidden,
    InvalidInput,
    NotApplicable,
    NotFound,
    TimedOut,
)
from rollgraph.acting.request import MAX_BULK, BulkRequest, Listed, Matching
from rollgraph.acting.tickets import GOOD_FOR
from rollgraph.core.actions.action import Abort, Action, Pause, Promote, Restart
from rollgraph.core.audit import Result
from rollgraph.core.decision import ALLOWED, Decision, Layer
from rollgraph.core.errors import UnreachableError
from rollgraph.core.filtering import RolloutFilter, StringFilter
from rollgraph.core.refs import RolloutRef
from rollgraph.core.verbs import Verb
from rollgraph.core.view import RolloutView
from rollgraph.core.viewer import Viewer

NAMES = ("a", "b", "c", "d", "e", "f")
ALL = RolloutFilter()


def ref(name: str) -> RolloutRef:
    return RolloutRef(CLUSTER, NAMESPACE, name)


def listed(*names: str) -> Listed:
    return Listed(tuple(map(ref, names)))


@pytest.fixture
async def stage() -> Stage:
    return Stage(*NAMES)


@pytest.fixture
async def actor(stage: Stage) -> Actor:
    return await stage.actor()


async def test_each_comes_out_by_itself(stage: Stage, actor: Actor) -> None:
    request = BulkRequest(Promote(), listed("b", "nope", "a"), reason="all together")

    outcome = await actor.bulk(ANYBODY, request, "r1")

    assert [item.ref.name for item in outcome.outcomes] == ["b", "nope", "a"]
    assert [item.applied for item in outcome.outcomes] == [True, False, True]
    assert isinstance(outcome.outcomes[1].failure, NotFound)
    assert (outcome.succeeded, outcome.failed) == (2, 1)
    assert {item.operation_id for item in outcome.outcomes} == {outcome.operation_id}
    assert len(stage.audit) == 3
    assert {entry.operation for entry in stage.audit} == {outcome.operation_id}


async def test_a_rollout_that_is_named_twice_is_acted_on_once(stage: Stage, actor: Actor) -> None:
    outcome = await actor.bulk(ANYBODY, BulkRequest(Promote(), listed("a", "a")))
    assert len(outcome.outcomes) == 1
    assert stage.step("a") == 3


async def test_only_some_of_one_cluster_at_a_time(stage: Stage, actor: Actor) -> None:
    under_way: list[int] = []
    running = 0

    async def slow(carry_out):  # type: ignore[no-untyped-def]
        nonlocal running
        running += 1
        under_way.append(running)
        await anyio.sleep(0.1)
        running -= 1
        return carry_out()

    stage.patcher.on_patch.extend([slow] * len(NAMES))

    outcome = await actor.bulk(ANYBODY, BulkRequest(Pause(), listed(*NAMES)))

    assert outcome.succeeded == len(NAMES)
    assert max(under_way) == PER_CLUSTER


async def test_it_may_stop_at_the_first_error(stage: Stage, actor: Actor) -> None:
    stage.patcher.on_get.append(failing(UnreachableError("gone")))
    request = BulkRequest(Pause(), listed(*NAMES), stop_on_first_error=True)

    outcome = await actor.bulk(ANYBODY, request)

    kinds = [type(item.failure) for item in outcome.outcomes]
    assert kinds.count(ClusterUnavailable) == 1
    begun = [item for item in outcome.outcomes if item.begun]
    # Those that were under way end as they should.
    assert len(begun) <= PER_CLUSTER
    assert all(
        isinstance(item.failure, NotApplicable) for item in outcome.outcomes if not item.begun
    )
    paused = [name for name in NAMES if stage.rollout(name)["spec"].get("paused")]
    assert paused == [item.ref.name for item in outcome.outcomes if item.applied]
    assert len(stage.audit) == len(NAMES)


async def test_when_time_runs_out_each_is_told_of(stage: Stage, actor: Actor) -> None:
    stage.patcher.on_get.extend([silent] * PER_CLUSTER)

    with anyio.fail_after(5):
        outcome = await actor.bulk(ANYBODY, BulkRequest(Pause(), listed(*NAMES)))

    assert len(outcome.outcomes) == len(NAMES)
    assert outcome.succeeded == 0
    late = [item for item in outcome.outcomes if not item.begun]
    assert len(late) == len(NAMES) - PER_CLUSTER
    assert all(isinstance(item.failure, TimedOut) for item in late)
    assert not any(stage.rollout(name)["spec"].get("paused") for name in NAMES)


async def test_what_fails_in_our_own_code_is_told_as_unknown(stage: Stage, actor: Actor) -> None:
    def bug() -> None:
        raise ZeroDivisionError

    stage.patcher.on_patch.append(after(bug))

    outcome = await actor.bulk(ANYBODY, BulkRequest(Pause(), listed("a", "b")))

    broken = [item for item in outcome.outcomes if item.failure is not None]
    assert len(broken) == 1
    assert broken[0].unknown
    assert outcome.succeeded == 1


async def test_too_many_are_refused(actor: Actor) -> None:
    names = listed(*(f"r{number}" for number in range(MAX_BULK + 1)))
    outcome = await actor.bulk(ANYBODY, BulkRequest(Pause(), names))
    assert isinstance(outcome.failure, InvalidInput)
    assert outcome.outcomes == ()


async def test_with_a_key_each_is_carried_out_once(stage: Stage, actor: Actor) -> None:
    stage.patcher.on_get.append(failing(UnreachableError("gone")))
    request = BulkRequest(Promote(), listed("a", "b"), idempotency_key="wave-1")
    first = await actor.bulk(ANYBODY, request)
    assert (first.succeeded, first.failed) == (1, 1)

    again = await actor.bulk(ANYBODY, request)

    assert again.succeeded == 2
    assert (stage.step("a"), stage.step("b")) == (3, 3)


# -- by filter -----------------------------------------------------------------------------------


async def previewed(actor: Actor, action: Action, caller: Caller = ANYBODY) -> str:
    request = BulkRequest(action, Matching(ALL), dry_run=True)
    outcome = await actor.bulk(caller, request)
    assert outcome.failure is None, outcome.failure
    return outcome.token


async def test_a_filter_is_shown_first(stage: Stage, actor: Actor) -> None:
    before = [stage.rollout(name) for name in NAMES]
    wanted = RolloutFilter(name=StringFilter(in_=("b", "c")))

    outcome = await actor.bulk(ANYBODY, BulkRequest(Promote(), Matching(wanted), dry_run=True))

    assert [item.ref.name for item in outcome.outcomes] == ["b", "c"]
    assert all(item.patches and not item.applied for item in outcome.outcomes)
    assert outcome.expires_at == stage.clock.now() + GOOD_FOR
    assert [stage.rollout(name) for name in NAMES] == before


async def test_it_is_run_with_the_token_only(stage: Stage, actor: Actor) -> None:
    bare = await actor.bulk(ANYBODY, BulkRequest(Promote(), Matching(ALL)))
    assert isinstance(bare.failure, InvalidInput)
    assert stage.patcher.asked == []

    token = await previewed(actor, Promote())
    outcome = await actor.bulk(ANYBODY, BulkRequest(Promote(), Matching(ALL, token)))

    assert outcome.succeeded == len(NAMES)
    assert {stage.step(name) for name in NAMES} == {3}


async def test_a_restart_at_once_may_be_shown_and_run_at_different_times(
    stage: Stage, actor: Actor
) -> None:
    token = await previewed(actor, Restart(stage.clock.now()))
    await anyio.sleep(60)
    at_once = Restart(stage.clock.now())
    outcome = await actor.bulk(ANYBODY, BulkRequest(at_once, Matching(ALL, token)))
    assert outcome.succeeded == len(NAMES)

    later = Restart(stage.clock.now() + timedelta(hours=1))
    refused = await actor.bulk(ANYBODY, BulkRequest(later, Matching(ALL, token)))
    assert isinstance(refused.failure, InvalidInput)


async def test_a_long_key_fits_long_names(stage: Stage, actor: Actor) -> None:
    request = BulkRequest(Promote(), listed("a" * 253), idempotency_key="k" * 128)
    (outcome,) = (await actor.bulk(ANYBODY, request)).outcomes
    assert isinstance(outcome.failure, NotFound)


async def test_what_came_later_is_not_touched(stage: Stage, actor: Actor) -> None:
    token = await previewed(actor, Promote())
    stage.add("later")

    outcome = await actor.bulk(ANYBODY, BulkRequest(Promote(), Matching(ALL, token)))

    assert [item.ref.name for item in outcome.outcomes] == list(NAMES)
    assert stage.step("later") == 1


async def test_what_has_moved_since_is_left_alone(stage: Stage, actor: Actor) -> None:
    token = await previewed(actor, Promote())
    stage.change("a", {"status": {"pauseConditions": None, "currentStepIndex": 2}})
    stage.react()

    outcome = await actor.bulk(ANYBODY, BulkRequest(Promote(), Matching(ALL, token)))

    assert isinstance(outcome.outcomes[0].failure, Conflict)
    assert stage.step("a") == 3
    assert outcome.succeeded == len(NAMES) - 1


async def test_a_token_used_twice_promotes_once(stage: Stage, actor: Actor) -> None:
    token = await previewed(actor, Promote())
    request = BulkRequest(Promote(), Matching(ALL, token))
    await actor.bulk(ANYBODY, request)

    again = await actor.bulk(ANYBODY, request)

    assert again.succeeded == 0
    assert {stage.step(name) for name in NAMES} == {3}


async def test_a_token_is_one_persons_for_one_action_for_a_while(
    stage: Stage, actor: Actor
) -> None:
    alice = Caller(Everything(Viewer("alice")))
    token = await previewed(actor, Promote(), alice)
    stage.patcher.asked.clear()
    tampered = token[:-2] + ("AA" if token[-2:] != "AA" else "BB")
    for caller, action, given in (
        (ANYBODY, Promote(), token),
        (alice, Abort(), token),
        (alice, Promote(), tampered),
        (alice, Promote(), "bm9uc2Vuc2U="),
        (alice, Promote(), "é"),
    ):
        outcome = await actor.bulk(caller, BulkRequest(action, Matching(ALL, given)))
        assert isinstance(outcome.failure, InvalidInput)
    await anyio.sleep(GOOD_FOR / timedelta(seconds=1))
    late = await actor.bulk(alice, BulkRequest(Promote(), Matching(ALL, token)))
    assert isinstance(late.failure, InvalidInput)
    assert "expired" in late.failure.message
    assert stage.patcher.asked == []


class Some(Everything):
    """May see and act on `a` and `b`, and see `c`."""

    @property
    def sees_all(self) -> bool:
        return False

    def sees(self, view: RolloutView) -> bool:
        return view.ref.name in {"a", "b", "c"}

    def may(self, verb: Verb, ref: RolloutRef, view: RolloutView | None = None) -> Decision:
        return ALLOWED if ref.name in {"a", "b"} else Decision(Layer.CASBIN, message="no")


async def test_rights_are_asked_for_each(stage: Stage, actor: Actor) -> None:
    caller = Caller(Some(Viewer("alice")))
    request = BulkRequest(Promote(), listed("a", "d", "b"))

    outcome = await actor.bulk(caller, request)

    assert isinstance(outcome.outcomes[1].failure, Forbidden)
    assert (stage.step("a"), stage.step("d"), stage.step("b")) == (3, 1, 3)
    assert not any("shop/d" in what for _, what in stage.patcher.asked)
    assert [entry.result for entry in stage.audit].count(Result.REFUSED) == 1


async def test_a_token_gives_no_right_to_what_it_lists(stage: Stage, actor: Actor) -> None:
    """As whoever has the key that signs could write one, and as rights may be taken meanwhile."""
    token = await previewed(actor, Promote(), Caller(Everything(Viewer("alice"))))
    stage.patcher.asked.clear()
    caller = Caller(Some(Viewer("alice")))

    outcome = await actor.bulk(caller, BulkRequest(Promote(), Matching(ALL, token)))

    assert [item.failure is None for item in outcome.outcomes] == [True] * 2 + [False] * 4
    assert {stage.step(name) for name in "ab"} == {3}
    assert {stage.step(name) for name in "cdef"} == {1}
    assert not any(f"shop/{name}" in what for _, what in stage.patcher.asked for name in "cdef")


async def test_a_filter_finds_what_is_seen(actor: Actor) -> None:
    caller = Caller(Some(Viewer("alice")))
    outcome = await actor.bulk(caller, BulkRequest(Pause(), Matching(ALL), dry_run=True))
    assert [item.ref.name for item in outcome.outcomes] == ["a", "b", "c"]
    assert isinstance(outcome.outcomes[2].failure, Forbidden)
