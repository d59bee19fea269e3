"""What is asked of a policy when somebody wants to do something: resource, action and object."""

from collections.abc import Mapping

import msgspec

from rollgraph.core.application import Application
from rollgraph.core.rbac.rulebook import APPLICATIONS, ROLLOUTS
from rollgraph.core.refs import RolloutRef
from rollgraph.core.verbs import Verb

CLUSTERS = "clusters"
AUDIT = "audit"

_ROLLOUT = "action/argoproj.io/Rollout"

# Argo CD's names for what it can do itself; the others are ours, below the same prefix, so that
# `action/argoproj.io/Rollout/*` has them too. Its `resume` is what its users promote with.
ARGOCD_ACTIONS: Mapping[Verb, str] = {
    Verb.GET: "get",
    Verb.WATCH: "get",
    Verb.PROMOTE: f"{_ROLLOUT}/resume",
    Verb.PROMOTE_FULL: f"{_ROLLOUT}/promote-full",
    Verb.SKIP_STEP: f"{_ROLLOUT}/skip-current-step",
    Verb.JUMP_TO_STEP: f"{_ROLLOUT}/jump-to-step",
    Verb.ABORT: f"{_ROLLOUT}/abort",
    Verb.RETRY: f"{_ROLLOUT}/retry",
    Verb.PAUSE: f"{_ROLLOUT}/pause",
    Verb.RESUME: f"{_ROLLOUT}/resume",
    Verb.RESTART: f"{_ROLLOUT}/restart",
    Verb.UNDO: f"{_ROLLOUT}/undo",
    Verb.SET_IMAGE: f"{_ROLLOUT}/set-image",
    Verb.TERMINATE: "action/argoproj.io/AnalysisRun/terminate",
}


class Question(msgspec.Struct, frozen=True, gc=False):
    """What a policy is asked, but for whom."""

    resource: str
    action: str
    object: str

    def __str__(self) -> str:
        return f"{self.resource}, {self.action}, {self.object}"


def question(verb: Verb, ref: RolloutRef, owner: Application | None = None) -> Question:
    """What is asked for a rollout.

    Args:
        owner: The application of Argo CD that owns it: then its policies know the rollout by that.
    """
    if owner is not None:
        return Question(APPLICATIONS, ARGOCD_ACTIONS[verb], str(owner))
    return Question(ROLLOUTS, verb.value, str(ref))
