"""One action on one rollout: read afresh, planned, sent; planned again when others are faster."""

from random import Random

from rollgraph.acting.failures import failure_by
from rollgraph.acting.outcome import Conflict, Failure, TimedOut
from rollgraph.acting.pacing import Pace
from rollgraph.acting.pinning import late, pinned, together
from rollgraph.acting.request import ANYWHERE, ActionRequest, Expected
from rollgraph.acting.sending import Sender
from rollgraph.core.actions.action import Action, PromoteFull, Undo
from rollgraph.core.actions.plan import (
    FollowUp,
    Live,
    Manifest,
    Need,
    Patch,
    Plan,
    Reason,
    Refusal,
    Resource,
    Uptake,
)
from rollgraph.core.actions.planning import needs, plan
from rollgraph.core.actions.promotion import uptake
from rollgraph.core.errors import ConflictError, RollgraphError
from rollgraph.core.objects.decode import read_object
from rollgraph.core.objects.rollout import Rollout
from rollgraph.core.refs import Kind, ObjectKey
from rollgraph.ports import Clock

# Seconds for an action in all, and for one that has to see the controller take it.
ACTS_WITHIN = 10.0
FOLLOWS_WITHIN = 15.0
# Seconds for which the controller may be behind before an action is refused for it.
CATCHES_UP_WITHIN = 3.0
# Plans that are made before it is said that others are always faster.
PLANS = 5


def time_for(action: Action) -> float:
    """Seconds that an action may take."""
    full = isinstance(action, PromoteFull) or (isinstance(action, Undo) and action.full)
    return FOLLOWS_WITHIN if full else ACTS_WITHIN


class Operation:
    """Carries out one action on one rollout.

    Args:
        request: What is asked.
        sender: Reads and patches, as the caller, within `pace`.
        clock: The time of day.
        rng: Chance for pauses.
        remembered: The rollout as the watch brought it last, to be planned on without a read: that
            it is still so, the spoke checks with the first patch. None to read it first.

    Attributes:
        message: What happens, for a person.
        patches: What was sent, or would be, in order.
        sent: How many the spoke has taken.
        before: The rollout's version that it was decided on, "" before the first look at it.
        after: Its version after the last of our changes to it, "" without one.
        uid: The rollout's, "" before the first look at it.
    """

    def __init__(
        self,
        request: ActionRequest,
        sender: Sender,
        pace: Pace,
        clock: Clock,
        rng: Random,
        remembered: Manifest | None = None,
    ) -> None:
        self._request = request
        self._sender = sender
        self._pace = pace
        self._clock = clock
        self._rng = rng
        self._remembered = remembered
        self._pin: Expected | None = None
        self._generation: int | None = None
        self.message = ""
        self.patches: list[Patch] = []
        self.sent = 0
        self.before = self.after = self.uid = ""

    async def run(self) -> Failure | None:
        """Carries it out, and says why not. Raises a `RollgraphError` for what a spoke does."""
        failure, made = await self._carry_out(self._request.action, self._request.expected)
        if failure is not None or made is None or self._request.dry_run:
            return failure
        if made.promotes:
            await self._see_promoted(made.promotes)
        if made.then is not None:
            return await self._follow_up(made.then)
        return None

    async def _carry_out(
        self, action: Action, expected: Expected
    ) -> tuple[Failure | None, Plan | None]:
        """Plans and sends, again on conflict."""
        conflict: ConflictError | None = None
        for _ in range(PLANS):
            live, planned = await self._planned(action, expected)
            if isinstance(planned, Refusal):
                return failure_by(planned, _read(live), expected), None
            sent, begun = self.sent, len(self.patches)
            self.message = planned.message
            try:
                await self._send_all(planned, live)
                return None, planned
            except ConflictError as error:
                if self.sent > sent:
                    raise
                conflict = error
                del self.patches[begun:]
            if not await self._pace.rest():
                break
        text = f"others change this rollout all the time; nothing was changed: {conflict}"
        return Conflict(text, actual=self.before, retryable=True), None

    async def _planned(self, action: Action, expected: Expected) -> tuple[Live, Plan | Refusal]:
        """The plan for the rollout as it is, once the controller has seen what others changed.

        Where the caller saw the rollout is where it was first read, unless they say: whoever comes
        second does not act on the next step.
        """
        if self._remembered is not None:
            live, self._remembered = Live(self._remembered), None
            at_once = self._at_once(action, expected, live)
            if at_once is not None:
                return live, at_once
        patience = Pace(min(self._pace.left, self._patience(action)), self._rng)
        while True:
            live = await self._live(action)
            self._hold(action, _read(live))
            wanted = together(expected, self._pin)
            planned = plan(action, live, self._clock.now(), wanted)
            waits = isinstance(planned, Refusal) and planned.reason is Reason.NOT_OBSERVED
            if not waits or not await patience.rest():
                return live, planned

    def _at_once(self, action: Action, expected: Expected, live: Live) -> Plan | None:
        """The plan for the rollout as it is remembered, if there is something to send.

        What cannot be done, or is so already, is not said without a look.
        """
        if needs(action, live.rollout):
            return None
        rollout = _read(live)
        pin = pinned(action, rollout)
        planned = plan(action, live, self._clock.now(), together(expected, pin))
        if isinstance(planned, Refusal) or not planned.patches:
            return None
        self._note(live.rollout)
        self._hold(action, rollout)
        return planned

    def _hold(self, action: Action, rollout: Rollout) -> None:
        """Remembers what is acted on: the version, and for some actions the step."""
        if self._pin is None or late(action, self._generation, rollout):
            self._pin = pinned(action, rollout)
            self._generation = rollout.metadata.generation

    def _patience(self, action: Action) -> float:
        return FOLLOWS_WITHIN if isinstance(action, PromoteFull) else CATCHES_UP_WITHIN

    async def _live(self, action: Action) -> Live:
        rollout = await self._sender.read(Resource.ROLLOUT, self._request.ref.key)
        self._note(rollout)
        found = {need: await self._found(need) for need in needs(action, rollout)}
        return Live(rollout, found)

    def _note(self, rollout: Manifest) -> None:
        if not self.sent:
            self.before = _version(rollout)
            self.uid = str(rollout["metadata"].get("uid", ""))

    async def _found(self, need: Need) -> tuple[Manifest, ...]:
        if not need.name:
            return await self._sender.find(need.resource, need.namespace, need.selector)
        key = ObjectKey(need.namespace, need.name)
        return await self._sender.read_if_there(need.resource, key)

    async def _send_all(self, planned: Plan, live: Live) -> None:
        """Sends the patches in order, each with the version that the one before gave.

        A `ConflictError` after the first of them: what is left is not sent, as it might be wrong.
        """
        self.patches += planned.patches
        versions = _versions(live)
        last: Manifest | None = None
        for patch in planned.patches:
            place = (patch.resource, patch.key)
            last = await self._send(patch, versions.get(place, ""), last)
            if self._request.dry_run:
                continue
            self.sent += 1
            versions[place] = _version(last)
            if patch.resource is Resource.ROLLOUT:
                self.after = _version(last)

    async def _send(self, patch: Patch, version: str, last: Manifest | None) -> Manifest:
        while True:
            try:
                return await self._sender.send(patch, version)
            except ConflictError:
                if last is None:
                    raise
                now = await self._sender.read(patch.resource, patch.key)
                if not _same_place(last, now) or not await self._pace.rest():
                    raise
                version = _version(now)

    async def _see_promoted(self, promotes: str) -> None:
        """Waits until the controller has taken a full promotion; asks again if it dropped it."""
        while await self._pace.rest():
            try:
                rollout = await self._sender.read(Resource.ROLLOUT, self._request.ref.key)
                found = uptake(promotes, rollout)
                if found is Uptake.DROPPED:
                    promotes = self._told_late(promotes, rollout)
                    same = Expected(pod_template_hash=promotes)
                    failure, _ = await self._carry_out(PromoteFull(), same)
                    if failure is not None:
                        self.message += f"; the controller has dropped it: {failure.message}"
                        return
            except RollgraphError as error:
                self.message += f"; whether the controller has taken it is not known: {error}"
                return
            if found is Uptake.TAKEN:
                return
        self.message += "; the controller has not taken it yet"

    def _told_late(self, promotes: str, manifest: Manifest) -> str:
        """The hash of the version that is promoted, which may be known only now."""
        rollout = _read(Live(manifest))
        if late(PromoteFull(), self._generation, rollout):
            return rollout.status.current_pod_hash
        return promotes

    async def _follow_up(self, then: FollowUp) -> Failure | None:
        """Does what has to follow, once the controller has seen what was changed."""
        message, self._pin, self._generation = self.message, ANYWHERE, None
        while True:
            failure, made = await self._carry_out(then.action, then.expectations)
            self.message = f"{message}; {self.message}" if made is not None else message
            if made is not None:
                if made.promotes:
                    await self._see_promoted(made.promotes)
                return failure
            waits = isinstance(failure, Conflict) or getattr(failure, "retryable", False)
            if not waits or not await self._pace.rest():
                break
        assert failure is not None
        if isinstance(failure, Conflict):
            return TimedOut(f"the controller has not seen the change in time: {failure.message}")
        return failure


def _read(live: Live) -> Rollout:
    rollout = read_object(Kind.ROLLOUT, live.rollout)
    assert isinstance(rollout, Rollout)
    return rollout


def _version(manifest: Manifest) -> str:
    return str(manifest["metadata"].get("resourceVersion", ""))


def _versions(live: Live) -> dict[tuple[Resource, ObjectKey], str]:
    """The version of each object that was read."""
    objects = [(Resource.ROLLOUT, live.rollout)]
    objects += [(need.resource, found) for need, all_ in live.found.items() for found in all_]
    return {
        (resource, ObjectKey(found["metadata"]["namespace"], found["metadata"]["name"])): _version(
            found
        )
        for resource, found in objects
    }


def _same_place(last: Manifest, now: Manifest) -> bool:
    """Whether only bookkeeping differs, so that the rest of a plan is still right."""
    return _place(last) == _place(now)


def _place(manifest: Manifest) -> tuple[object, ...]:
    meta, status = manifest["metadata"], manifest.get("status") or {}
    return (
        meta.get("uid"),
        meta.get("generation"),
        status.get("currentStepIndex"),
        status.get("currentPodHash"),
        status.get("abort"),
    )
