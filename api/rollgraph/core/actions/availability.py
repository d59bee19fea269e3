"""What can be done to a rollout now, and why the rest cannot."""

from collections.abc import Callable, Mapping

from rollgraph.core.actions import abort, image, pause, promotion, stepping
from rollgraph.core.actions.guards import untouchable
from rollgraph.core.actions.plan import Refusal
from rollgraph.core.actions.termination import no_termination
from rollgraph.core.actions.undo import no_undo
from rollgraph.core.objects.rollout import Rollout
from rollgraph.core.verbs import Verb
from rollgraph.core.view import RolloutView

_ALONE: Mapping[Verb, Callable[[Rollout], Refusal | None]] = {
    Verb.PROMOTE: promotion.no_promotion,
    Verb.PROMOTE_FULL: promotion.no_full_promotion,
    Verb.SKIP_STEP: stepping.no_skip,
    Verb.JUMP_TO_STEP: stepping.no_jump,
    Verb.ABORT: abort.no_abort,
    Verb.RETRY: abort.no_retry,
    Verb.PAUSE: pause.no_pause,
    Verb.RESUME: pause.no_resume,
    Verb.RESTART: untouchable,
    Verb.SET_IMAGE: image.no_image,
}


def availability(view: RolloutView) -> Mapping[Verb, Refusal | None]:
    """For each action why it is not possible now; None if it is.

    The same rules as `plan`, on what is in memory: an action that is possible here has a plan with
    patches on the spoke, unless the rollout has changed there meanwhile or the action names
    something that does not exist.
    """
    rollout = view.rollout
    return {
        **{verb: guard(rollout) for verb, guard in _ALONE.items()},
        Verb.UNDO: no_undo(rollout, [item.replica_set for item in view.replica_sets]),
        Verb.TERMINATE: no_termination(
            rollout,
            (item.run for item in view.all_analysis_runs),
            (item.experiment for item in view.experiments),
        ),
    }
