"""What can be done to a rollout, as RBAC speaks of it: a verb of policies, a scope of tokens."""

from enum import StrEnum


class Verb(StrEnum):
    """One verb for each action; the value stands in policies."""

    GET = "get"
    WATCH = "watch"
    PROMOTE = "promote"
    PROMOTE_FULL = "promote-full"
    SKIP_STEP = "skip-step"
    JUMP_TO_STEP = "jump-to-step"
    ABORT = "abort"
    RETRY = "retry"
    PAUSE = "pause"
    RESUME = "resume"
    RESTART = "restart"
    UNDO = "undo"
    SET_IMAGE = "set-image"
    TERMINATE = "terminate"


class Scope(StrEnum):
    """What a token may be narrowed to; the value stands in its `scope` claim."""

    READ = "rollouts:read"
    PROMOTE = "rollouts:promote"
    ABORT = "rollouts:abort"
    RETRY = "rollouts:retry"
    PAUSE = "rollouts:pause"
    RESTART = "rollouts:restart"
    UNDO = "rollouts:undo"
    SET_IMAGE = "rollouts:set-image"
    ANALYSIS_READ = "analysis:read"
    TERMINATE = "analysis:terminate"
    AUDIT_READ = "audit:read"


# Scopes are coarser than verbs: whoever may promote with a token may also promote in large steps.
SCOPES: dict[Verb, Scope] = {
    Verb.GET: Scope.READ,
    Verb.WATCH: Scope.READ,
    Verb.PROMOTE: Scope.PROMOTE,
    Verb.PROMOTE_FULL: Scope.PROMOTE,
    Verb.SKIP_STEP: Scope.PROMOTE,
    Verb.JUMP_TO_STEP: Scope.PROMOTE,
    Verb.ABORT: Scope.ABORT,
    Verb.RETRY: Scope.RETRY,
    Verb.PAUSE: Scope.PAUSE,
    Verb.RESUME: Scope.PAUSE,
    Verb.RESTART: Scope.RESTART,
    Verb.UNDO: Scope.UNDO,
    Verb.SET_IMAGE: Scope.SET_IMAGE,
    Verb.TERMINATE: Scope.TERMINATE,
}
