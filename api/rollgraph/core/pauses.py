"""Why the controller holds a rollout."""

from enum import StrEnum

from rollgraph.core.objects.rollout import PauseCondition, Rollout


class PauseReason(StrEnum):
    """Argo's reasons for a pause. UNKNOWN: one of a later version."""

    CANARY_PAUSE_STEP = "CanaryPauseStep"
    BLUE_GREEN_PAUSE = "BlueGreenPause"
    INCONCLUSIVE_ANALYSIS_RUN = "InconclusiveAnalysisRun"
    INCONCLUSIVE_EXPERIMENT = "InconclusiveExperiment"
    UNKNOWN = "Unknown"


def pause_reason(text: str) -> PauseReason:
    """The reason with this name; UNKNOWN for any other text."""
    try:
        return PauseReason(text)
    except ValueError:
        return PauseReason.UNKNOWN


def pause_condition(rollout: Rollout, reason: PauseReason) -> PauseCondition | None:
    """The first pause with this reason."""
    conditions = rollout.status.pause_conditions or ()
    return next((condition for condition in conditions if condition.reason == reason), None)
