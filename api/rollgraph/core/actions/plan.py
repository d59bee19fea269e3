"""What an action comes down to: patches in order, or the reason why there are none.

And what has to be read from the spoke before: `Need` and `Live`.
"""

from enum import StrEnum
from typing import Any, TypeAlias

import msgspec

from rollgraph.core.actions.action import Action
from rollgraph.core.refs import ObjectKey

# An object as JSON has it: what is not to be changed stays as it is, whatever it means.
Manifest: TypeAlias = dict[str, Any]


class Resource(StrEnum):
    """What can be patched; the value is `plural.group`, as Kubernetes RBAC has it."""

    ROLLOUT = "rollouts.argoproj.io"
    ANALYSIS_RUN = "analysisruns.argoproj.io"
    EXPERIMENT = "experiments.argoproj.io"
    DEPLOYMENT = "deployments.apps"
    REPLICA_SET = "replicasets.apps"
    POD_TEMPLATE = "podtemplates"


class Need(msgspec.Struct, frozen=True):
    """What has to be read beside the rollout before an action can be planned.

    Attributes:
        name: The object's; "" for all of the namespace that match the selector.
        selector: Labels, as the API takes them.
    """

    resource: Resource
    namespace: str
    name: str = ""
    selector: str = ""


class Live(msgspec.Struct, frozen=True):
    """What was just read from the spoke.

    Attributes:
        rollout: The Rollout.
        found: What was found for each need; nothing for an object that does not exist.
    """

    rollout: Manifest
    found: dict[Need, tuple[Manifest, ...]] = {}


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


class Expectations(msgspec.Struct, frozen=True):
    """Where the caller saw the rollout; what is None is not compared.

    Attributes:
        step_index: How many steps were done.
        pod_template_hash: The hash of the newest template.
        resource_version: The Rollout object's version.
    """

    step_index: int | None = None
    pod_template_hash: str | None = None
    resource_version: str | None = None


ANYWHERE = Expectations()


class Uptake(StrEnum):
    """What has become of a full promotion.

    PENDING: nobody can tell yet. TAKEN: the controller carries it out, or has done so. DROPPED: it
    has forgotten it, since it had not known the newest template; ask again.
    """

    PENDING = "PENDING"
    TAKEN = "TAKEN"
    DROPPED = "DROPPED"


class FollowUp(msgspec.Struct, frozen=True):
    """What to plan next, once the patches are sent.

    It is planned on the rollout as it is then, again and again for a bounded time as long as it is
    refused as NOT_OBSERVED or STALE: until the controller has seen what the patches have changed.
    """

    action: Action
    expectations: Expectations


class Plan(msgspec.Struct, frozen=True):
    """What to send, in order.

    Attributes:
        patches: Empty if what was asked for is so already.
        message: What happens, for a person: "ends the pause of step 2 of 6".
        promotes: The pod template hash that is promoted in full, or "". The controller forgets such
            a wish if it comes before a new template that it has not seen: look at the rollout again
            for a bounded time until `promotion.uptake` no longer says PENDING.
        then: What has to follow for the action to be whole.
    """

    patches: tuple[Patch, ...]
    message: str
    promotes: str = ""
    then: FollowUp | None = None


class Reason(StrEnum):
    """Why an action is not possible now.

    NOTHING_TO_DO: what it would bring about is so already; `plan` answers with a plan without
    patches instead. NOT_APPLICABLE: the rollout is in another state. STALE: it is not where the
    caller saw it. NOT_OBSERVED: the controller has not seen the newest spec yet; wait a moment.
    NOT_FOUND: what the action names does not exist. INVALID: what it names makes no sense.
    """

    NOTHING_TO_DO = "NOTHING_TO_DO"
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
