"""The enums of the core under their public names, each value described."""

from rollgraph.core.analysis import AnalysisPhase, AnalysisRunKind
from rollgraph.core.audit import Result
from rollgraph.core.connection import ConnectionStatus, Problem
from rollgraph.core.decision import Layer
from rollgraph.core.paging import OrderField
from rollgraph.core.pauses import PauseReason
from rollgraph.core.phase import Phase
from rollgraph.core.pods import PodCategory
from rollgraph.core.replicasets import ReplicaSetHealth, Role
from rollgraph.core.steps import StepState
from rollgraph.core.view import StrategyKind
from rollgraph.core.viewer import Login
from rollgraph.core.waiting import WaitReason
from rollgraph.schema.described import enum

enum(
    Phase,
    "RolloutPhase",
    "Where a rollout stands, as `kubectl argo rollouts get rollout` says it.",
    {
        "HEALTHY": "The newest template is fully rolled out and stable.",
        "PROGRESSING": "An update, a restart or a scaling is under way.",
        "PAUSED": "The rollout is held; `message` and `pauseConditions` say why.",
        "DEGRADED": "The update was aborted, ran out of time, or the spec is invalid.",
        "UNKNOWN": "The controller reports a phase that this gateway does not know, "
        "or the rollout cannot be read.",
    },
)
enum(
    PauseReason,
    "PauseReason",
    "Why the controller holds a rollout.",
    {
        "CANARY_PAUSE_STEP": "A canary is at a pause step.",
        "BLUE_GREEN_PAUSE": "A blue-green preview waits to be promoted.",
        "INCONCLUSIVE_ANALYSIS_RUN": "An analysis came to no verdict.",
        "INCONCLUSIVE_EXPERIMENT": "An experiment came to no verdict.",
        "UNKNOWN": "A reason that this gateway does not know.",
    },
)
enum(
    StepState,
    "StepState",
    "Where a canary step stands.",
    {
        "PENDING": "Not begun; after an abort all steps are.",
        "CURRENT": "The controller is at this step.",
        "COMPLETED": "Done.",
        "SKIPPED": "A full promotion is under way and will not run it.",
    },
)
enum(
    Role,
    "RevisionRole",
    "The part that a ReplicaSet plays.",
    {
        "STABLE": "Runs the version that an abort goes back to.",
        "CANARY": "Runs the version that is being rolled out by a canary.",
        "ACTIVE": "Serves the active Service of a blue-green rollout.",
        "PREVIEW": "Serves the preview Service of a blue-green rollout.",
        "PING": "Serves the ping Service.",
        "PONG": "Serves the pong Service.",
        "EXPERIMENT": "Belongs to an experiment.",
        "OLD": "An earlier revision without any other part.",
    },
)
enum(
    ReplicaSetHealth,
    "ReplicaSetHealth",
    "How a ReplicaSet fares.",
    {
        "HEALTHY": "All its pods are available.",
        "PROGRESSING": "Pods are still becoming available, or the newest spec is unobserved.",
        "SCALED_DOWN": "It is asked to run no pods.",
        "REPLICA_FAILURE": "Pods cannot be created or deleted.",
    },
)
enum(
    StrategyKind,
    "StrategyKind",
    "How a rollout moves to a new template.",
    {"CANARY": "Step by step.", "BLUE_GREEN": "At once, after a preview."},
)
enum(
    PodCategory,
    "PodStatus",
    "The few states of a pod that a dashboard tells apart; `reason` has the details.",
    {
        "PENDING": "Being scheduled, initialised or created.",
        "RUNNING": "Running; `ready` says whether it serves.",
        "SUCCEEDED": "Ended well.",
        "FAILED": "Ended badly, or cannot run.",
        "TERMINATING": "Being deleted.",
        "CRASH_LOOP_BACK_OFF": "Crashes again and again.",
        "IMAGE_PULL_ERROR": "Its image cannot be had.",
        "UNKNOWN": "Its node is lost, or it reports nothing.",
    },
)
enum(
    AnalysisPhase,
    "AnalysisPhase",
    "Where an analysis run, a metric, a measurement, an experiment or a plugin stands.",
    {
        "PENDING": "Not begun.",
        "RUNNING": "At work.",
        "SUCCESSFUL": "Passed.",
        "FAILED": "Failed its conditions.",
        "ERROR": "Could not measure.",
        "INCONCLUSIVE": "Neither passed nor failed: a person has to judge.",
        "UNKNOWN": "Nothing reported yet, or a phase that this gateway does not know.",
    },
)
enum(
    AnalysisRunKind,
    "AnalysisRunKind",
    "Why an analysis run exists.",
    {
        "STEP": "A canary step asked for it.",
        "BACKGROUND": "It watches a canary all along.",
        "PRE_PROMOTION": "It guards a blue-green promotion.",
        "POST_PROMOTION": "It checks a blue-green promotion.",
        "EXPERIMENT": "An experiment asked for it.",
        "STANDALONE": "Nobody says.",
    },
)
enum(
    WaitReason,
    "WaitReason",
    "What a rollout waits for.",
    {
        "CONTROLLER": "The controller has not acted on the newest spec or status yet.",
        "PAUSE": "A timed pause; `until` is its end.",
        "PROMOTION": "Someone has to promote.",
        "JUDGEMENT": "An analysis or experiment was inconclusive: someone has to promote or abort.",
        "UNPAUSE": "Someone has paused the rollout and has to resume it.",
        "ANALYSIS": "An analysis run has to end.",
        "EXPERIMENT": "An experiment has to end.",
        "PLUGIN": "A step plugin has to finish.",
        "TRAFFIC": "The traffic router has to confirm the weights.",
        "PODS": "Pods have to become available, or to go.",
        "RESTART": "Pods are being restarted.",
        "POSTPONED_RESTART": "A restart is planned; `until` is its time.",
        "RETRY": "The update was aborted: someone has to retry it or change the template.",
        "FIX": "The spec is invalid or the update ran out of time: someone has to change it.",
    },
)
enum(
    ConnectionStatus,
    "ConnectionStatus",
    "How far what the gateway holds of a cluster can be trusted.",
    {
        "CONNECTED": "All is read, and changes arrive.",
        "SYNCING": "The first full list is on its way.",
        "DEGRADED": "Rollouts arrive, another kind does not.",
        "DISCONNECTED": "Rollouts do not arrive; what is shown is from before.",
    },
)
enum(
    Problem,
    "ConnectionProblem",
    "What stands in the way of watching a cluster.",
    {
        "UNREACHABLE": "No connection can be made, or it broke.",
        "UNAUTHENTICATED": "The credentials are wrong or expired.",
        "FORBIDDEN": "The credentials lack a right.",
        "NOT_INSTALLED": "The cluster does not serve the kind: Argo Rollouts is not installed.",
        "THROTTLED": "The API server asks to wait.",
        "MISCONFIGURED": "The gateway's description of the cluster is wrong.",
        "SERVER_ERROR": "The API server fails, or something between answers in its place.",
    },
)
enum(
    OrderField,
    "RolloutOrderField",
    "What rollouts can be ordered by.",
    {
        "CLUSTER": "The cluster's name.",
        "NAMESPACE": "The namespace.",
        "NAME": "The rollout's name.",
        "PHASE": "The phase, by urgency: degraded, paused, progressing, unknown, healthy.",
        "UPDATED_AT": "When the Rollout object was last written.",
        "CREATED_AT": "When the Rollout was created.",
        "PROGRESS": "How far the update has come, in percent.",
    },
)
enum(
    Layer,
    "AuthorizationLayer",
    "Who can refuse an action, in the order in which they are asked.",
    {
        "SCOPE": "The token: it was narrowed to less.",
        "CASBIN": "Rollgraph's policy.",
        "KUBERNETES_RBAC": "The cluster's own RBAC.",
    },
)
enum(
    Login,
    "Login",
    "How a caller has shown who they are.",
    {
        "NONE": "Not at all: this gateway has no login, and only its own machine reaches it.",
        "TOKEN": "With a token of an identity provider.",
        "SESSION": "By logging in with a browser.",
        "SERVICE_ACCOUNT": "With the token of a Kubernetes service account.",
    },
)
enum(
    Result,
    "AuditResult",
    "What came of something that somebody wanted.",
    {
        "APPLIED": "Done.",
        "UNCHANGED": "It was so already.",
        "DRY_RUN": "Nothing was to be done.",
        "REFUSED": "They may not.",
        "NOT_APPLICABLE": "The rollout does not allow it in its state, or does not exist.",
        "CONFLICT": "The rollout was not where they saw it, or others were faster each time.",
        "FAILED": "Not done, or only in part.",
        "UNKNOWN": "It was tried, and the answer got lost.",
    },
)
