"""A request with a key is carried out once, however often it is sent."""

import anyio
import pytest

from fakes.hands import CLUSTER, Stage, acting, failing, lost, silent
from rollgraph.access.caller import ANYBODY, Caller
from rollgraph.access.everything import Everything
from rollgraph.acting.outcome import InvalidInput, Outcome, TimedOut
from rollgraph.acting.repeats import LONGEST_KEY
from rollgraph.acting.request import ActionRequest
from rollgraph.adapters.memory.receipts import KEPT, MemoryReceipts
from rollgraph.core.actions.action import Abort, Pause, Promote, Restart
from rollgraph.core.errors import BrokerError, UnreachableError
from rollgraph.core.viewer import Viewer

PROMOTE = acting("cart", Promote(), idempotency_key="build-17")


@pytest.fixture
async def stage() -> Stage:
    return Stage("cart", "mail")


async def test_a_repeated_request_is_answered_alike(stage: Stage) -> None:
    actor = await stage.actor()
    first = await actor.act(ANYBODY, PROMOTE)
    asked = list(stage.patcher.asked)

    again = await actor.act(ANYBODY, PROMOTE)

    assert again == first
    assert again.applied
    assert stage.patcher.asked == asked
    assert stage.step("cart") == 3
    assert len(stage.audit) == 1


async def test_without_a_key_it_is_another_request(stage: Stage) -> None:
    actor = await stage.actor()
    for _ in range(2):
        await actor.act(ANYBODY, acting("cart", Promote()))
    assert stage.step("cart") == 5


async def test_a_second_one_waits_for_the_first(stage: Stage) -> None:
    actor = await stage.actor()
    outcomes: list[Outcome] = []

    async def act() -> None:
        outcomes.append(await actor.act(ANYBODY, PROMOTE))

    async with anyio.create_task_group() as tasks:
        for _ in range(5):
            tasks.start_soon(act)

    assert len({outcome.operation_id for outcome in outcomes}) == 1
    assert all(outcome.applied for outcome in outcomes)
    assert stage.patcher.verbs == ["get", "patch"]


@pytest.mark.parametrize(
    "other",
    [
        acting("cart", Abort(), idempotency_key="build-17"),
        acting("mail", Promote(), idempotency_key="build-17"),
    ],
)
async def test_a_key_stands_for_one_request(stage: Stage, other: ActionRequest) -> None:
    actor = await stage.actor()
    await actor.act(ANYBODY, PROMOTE)

    outcome = await actor.act(ANYBODY, other)

    assert isinstance(outcome.failure, InvalidInput)
    assert outcome.failure.path == ("idempotencyKey",)
    assert not outcome.applied


@pytest.mark.parametrize("key", ["x" * (LONGEST_KEY + 1), "a\nb"])
async def test_a_key_is_short_and_can_be_read(stage: Stage, key: str) -> None:
    actor = await stage.actor()
    outcome = await actor.act(ANYBODY, acting("cart", Promote(), idempotency_key=key))
    assert isinstance(outcome.failure, InvalidInput)
    assert stage.patcher.asked == []


async def test_another_viewer_has_keys_of_their_own(stage: Stage) -> None:
    actor = await stage.actor()
    alice, bob = (Caller(Everything(Viewer(name))) for name in ("alice", "bob"))
    await actor.act(alice, acting("cart", Pause(), idempotency_key="1"))

    outcome = await actor.act(bob, acting("mail", Pause(), idempotency_key="1"))

    assert outcome.applied


async def test_what_had_no_effect_may_be_tried_again(stage: Stage) -> None:
    actor = await stage.actor()
    stage.patcher.on_get.append(failing(UnreachableError("gone")))
    assert (await actor.act(ANYBODY, PROMOTE)).failure is not None

    outcome = await actor.act(ANYBODY, PROMOTE)

    assert outcome.applied


async def test_what_nobody_can_tell_is_not_tried_again(stage: Stage) -> None:
    actor = await stage.actor()
    stage.patcher.on_patch.append(lost)  # and the controller has moved on
    first = await actor.act(ANYBODY, PROMOTE)
    assert isinstance(first.failure, TimedOut)

    assert await actor.act(ANYBODY, PROMOTE) == first
    assert stage.step("cart") == 3


async def test_a_dry_run_takes_no_key_up(stage: Stage) -> None:
    actor = await stage.actor()
    tried = acting("cart", Promote(), idempotency_key="build-17", dry_run=True)
    assert (await actor.act(ANYBODY, tried)).failure is None
    assert (await actor.act(ANYBODY, PROMOTE)).applied


async def test_a_restart_at_once_is_the_same_later(stage: Stage) -> None:
    actor = await stage.actor()
    first = acting("cart", Restart(stage.clock.now()), idempotency_key="1")
    done = await actor.act(ANYBODY, first)
    await anyio.sleep(60)

    again = acting("cart", Restart(stage.clock.now()), idempotency_key="1")

    assert await actor.act(ANYBODY, again) == done


async def test_keys_are_good_for_a_day(stage: Stage) -> None:
    actor = await stage.actor()
    await actor.act(ANYBODY, PROMOTE)
    await anyio.sleep(KEPT - 60)
    await actor.act(ANYBODY, PROMOTE)
    assert stage.step("cart") == 3
    await anyio.sleep(61)
    await actor.act(ANYBODY, PROMOTE)
    assert stage.step("cart") == 5


async def test_who_is_cancelled_leaves_the_key_to_others(stage: Stage) -> None:
    """A key that is never given back would block its request for ever."""
    actor = await stage.actor()
    stage.patcher.on_get.append(silent)
    with anyio.move_on_after(1):
        await actor.act(ANYBODY, PROMOTE)
    assert (await actor.act(ANYBODY, PROMOTE)).applied
    assert PROMOTE.ref.cluster == CLUSTER


class AwayReceipts(MemoryReceipts):
    """Receipts whose store can be away."""

    away = False

    async def claim(self, key: str, fingerprint: str) -> bytes | None:
        self._answer()
        return await super().claim(key, fingerprint)

    async def keep(self, key: str, answer: bytes) -> None:
        self._answer()
        await super().keep(key, answer)

    async def release(self, key: str) -> None:
        self._answer()
        await super().release(key)

    def _answer(self) -> None:
        if self.away:
            raise BrokerError("no connection")


async def test_while_nobody_can_tell_whether_it_was_done_it_is_not_done_again(
    stage: Stage,
) -> None:
    receipts = AwayReceipts()
    actor = await stage.actor(receipts=receipts)
    receipts.away = True
    refused = await actor.act(ANYBODY, PROMOTE)
    assert isinstance(refused.failure, InvalidInput)
    assert refused.failure.message.startswith("it cannot be told now whether a request with this")
    assert stage.step("cart") == 1
    await actor.act(ANYBODY, acting("cart", Promote()))
    assert stage.step("cart") == 3


async def test_what_was_done_and_cannot_be_kept_was_done_all_the_same(stage: Stage) -> None:
    receipts = AwayReceipts()
    actor = await stage.actor(receipts=receipts)
    claim = receipts.claim

    async def claim_and_go(key: str, fingerprint: str) -> bytes | None:
        found = await claim(key, fingerprint)
        receipts.away = True
        return found

    receipts.claim = claim_and_go  # type: ignore[method-assign]
    outcome = await actor.act(ANYBODY, PROMOTE)
    assert outcome.applied
    assert stage.step("cart") == 3
