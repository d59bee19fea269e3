"""What an action comes down to: patches in order, or the reason why there are none."""

from enum import StrEnum
from typing import Any

import msgspec

from rollgraph.core.refs import ObjectKey


class Resource(StrEnum):
    """What can be patched; the value is `plural.group`, as Kubernetes RBAC has it."""

    ROLLOUT = "rollouts.argoproj.io"
    ANALYSIS_RUN = "analysisruns.argoproj.io"
    EXPERIMENT = "experiments.argoproj.io"
    DEPLOYMENT = "deployments.apps"
    REPLICA_SET = "replicasets.apps"
    POD_TEMPLATE = "podtemplates"


class PatchType(StrEnum):
    """How a body is applied; the value is its media type."""

    MERGE = "application/merge-patch+json"
    JSON = "application/json-patch+json"


class Patch(msgspec.Struct, frozen=True):
    """One PATCH request, without its precondition: whoever sends it adds the resourceVersion.

    Attributes:
        subresource: "status" or "".
        body: A JSON object for MERGE, a list of operations for JSON.
    """

    resource: Resource
    key: ObjectKey
    body: Any
    subresource: str = ""
    type: PatchType = PatchType.MERGE


class Plan(msgspec.Struct, frozen=True):
    """What to send, in order; a status before a spec.

    Attributes:
        patches: Empty if what was asked for is so already.
        message: What happens, for a person: "ends the pause of step 2/6".
    """

    patches: tuple[Patch, ...]
    message: str


class Reason(StrEnum):
    """Why an action is not possible now.

    NOT_APPLICABLE: the rollout is in another state. STALE: it is not where the caller saw it.
    NOT_OBSERVED: the controller has not seen the newest spec yet; wait a moment.
    NOT_FOUND: what the action names does not exist. INVALID: what it names makes no sense.
    """

    NOT_APPLICABLE = "NOT_APPLICABLE"
    STALE = "STALE"
    NOT_OBSERVED = "NOT_OBSERVED"
    NOT_FOUND = "NOT_FOUND"
    INVALID = "INVALID"


class Refusal(msgspec.Struct, frozen=True):
    """Why there is no plan.

    Attributes:
        message: For a person: what is in the way, and what to do instead.
    """

    reason: Reason
    message: str
