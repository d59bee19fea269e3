"""The actions as data: what a person asks for, before anybody looks at the rollout.

Each names its `Verb`. The sources of what they mean are the kubectl plugin of Argo Rollouts and its
controller; `plan` says where we differ from the plugin, and why.
"""

from datetime import datetime
from typing import ClassVar, TypeAlias

import msgspec

from rollgraph.core.verbs import Verb


class Promote(msgspec.Struct, frozen=True):
    """Goes on: ends a pause, takes an inconclusive analysis for good, or leaves a running step."""

    verb: ClassVar[Verb] = Verb.PROMOTE


class PromoteFull(msgspec.Struct, frozen=True):
    """Skips all steps, pauses and analyses that are left."""

    verb: ClassVar[Verb] = Verb.PROMOTE_FULL


class SkipStep(msgspec.Struct, frozen=True):
    """Leaves the current step as if it were done."""

    verb: ClassVar[Verb] = Verb.SKIP_STEP


class JumpToStep(msgspec.Struct, frozen=True):
    """Makes another step the current one.

    Attributes:
        index: The step, from 0; as many as there are steps means all done.
    """

    verb: ClassVar[Verb] = Verb.JUMP_TO_STEP

    index: int


class Abort(msgspec.Struct, frozen=True):
    """Takes all traffic back to the stable version; stronger than a full promotion under way."""

    verb: ClassVar[Verb] = Verb.ABORT


class Retry(msgspec.Struct, frozen=True):
    """Tries an aborted update again, from its first step."""

    verb: ClassVar[Verb] = Verb.RETRY


class Pause(msgspec.Struct, frozen=True):
    """Holds the rollout where it is, until it is resumed."""

    verb: ClassVar[Verb] = Verb.PAUSE


class Resume(msgspec.Struct, frozen=True):
    """Ends what `Pause` began, and nothing else."""

    verb: ClassVar[Verb] = Verb.RESUME


class Restart(msgspec.Struct, frozen=True):
    """Replaces all pods, a few at a time.

    Attributes:
        at: Pods made before it are replaced, once it has come.
    """

    verb: ClassVar[Verb] = Verb.RESTART

    at: datetime


class Undo(msgspec.Struct, frozen=True):
    """Brings back an earlier revision's pod template.

    Attributes:
        to_revision: None for the one before the present one.
        full: Skips the steps, too.
    """

    verb: ClassVar[Verb] = Verb.UNDO

    to_revision: int | None = None
    full: bool = False


class SetImage(msgspec.Struct, frozen=True):
    """Sets the image of a container, which begins an update.

    Attributes:
        container: Its name, init containers included; `*` for all.
        image: With a tag or a digest.
    """

    verb: ClassVar[Verb] = Verb.SET_IMAGE

    container: str
    image: str


class TerminateAnalysisRun(msgspec.Struct, frozen=True):
    """Ends an analysis run of the rollout.

    Attributes:
        name: The AnalysisRun's name, in the rollout's namespace.
    """

    verb: ClassVar[Verb] = Verb.TERMINATE

    name: str


class TerminateExperiment(msgspec.Struct, frozen=True):
    """Ends an experiment of the rollout.

    Attributes:
        name: The Experiment's name, in the rollout's namespace.
    """

    verb: ClassVar[Verb] = Verb.TERMINATE

    name: str


Action: TypeAlias = (
    Promote
    | PromoteFull
    | SkipStep
    | JumpToStep
    | Abort
    | Retry
    | Pause
    | Resume
    | Restart
    | Undo
    | SetImage
    | TerminateAnalysisRun
    | TerminateExperiment
)
