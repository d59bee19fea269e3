"""What fields and arguments weigh, and how long lists are.

The model is that of IBM's cost specification, which federations' routers use too: an object costs
1, a scalar nothing, a field what `@cost` says in addition, and what is in a list costs as often as
`@listSize` says. So the cost of a request is about the number of objects in its answer. Measured
over 10,000 rollouts, a cost of 5,000 is 50 to 500 ms of a core's time, whatever is asked.
"""

from collections.abc import Mapping

import msgspec

from rollgraph.acting.request import MAX_BULK
from rollgraph.schema.connections import DEFAULT_PAGE


class ListSize(msgspec.Struct, frozen=True):
    """How long a list is.

    Attributes:
        assumed: Where no argument says it.
        slicing: The arguments that say it.
        sized: The fields that hold the list, where it is not the field's own value.
        listing: The arguments that say it by their own length, which `@listSize` cannot express.
    """

    assumed: int
    slicing: tuple[str, ...] = ()
    sized: tuple[str, ...] = ()
    listing: tuple[str, ...] = ()


ROWS = ("edges", "nodes")
# As rows are told by the connection around them, results are by the input of the bulk.
RESULTS = "BulkRolloutActionPayload.results"


def _pages(assumed: int) -> ListSize:
    return ListSize(assumed, ("first", "last"), ROWS)


# A list of objects that is not named here: most have one to five entries.
DEFAULT_SIZE = 5

# Typical sizes. Where an object of a spoke has more, the answer costs more than we think, but no
# client decides that; where a client decides, it is a slicing argument.
SIZES: Mapping[str, ListSize] = {
    "Query.nodes": ListSize(DEFAULT_PAGE, listing=("ids",)),
    "Query.rollouts": _pages(DEFAULT_PAGE),
    "Query.clusters": _pages(DEFAULT_PAGE),
    "Query.analysisRuns": _pages(DEFAULT_PAGE),
    "Query.auditEvents": _pages(DEFAULT_PAGE),
    "Query._entities": ListSize(DEFAULT_PAGE, listing=("representations",)),
    "Cluster.rollouts": _pages(DEFAULT_PAGE),
    # Argo's default of revisionHistoryLimit.
    "Rollout.revisions": _pages(10),
    "Rollout.analysisRuns": _pages(10),
    "Rollout.experiments": _pages(5),
    "Rollout.auditEvents": _pages(10),
    "Rollout.events": _pages(10),
    "Rollout.steps": ListSize(10),
    "ReplicaSet.pods": _pages(10),
    "MetricResult.measurements": ListSize(10, ("last",)),
    "RolloutConnection.clusters": ListSize(20),
    # A team's policy; some have 500 lines.
    "Viewer.permissions": ListSize(50),
    # As many as there are actions, unless some are named.
    "Rollout.viewerActions": ListSize(12, listing=("actions",)),
    "NotApplicableError.viewerActions": ListSize(12),
    # Of the status, then of the spec.
    "RolloutActionPayload.patches": ListSize(2),
    "RolloutActionPayload.userErrors": ListSize(1),
    "BulkRolloutActionPayload.userErrors": ListSize(1),
    # As many as are listed; a filter may match so many.
    "Mutation.bulkRolloutAction": ListSize(MAX_BULK, listing=("input",), sized=("results",)),
    "StepProgressEvent.steps": ListSize(10),
}

# In addition to the object itself.
FIELD_WEIGHTS: Mapping[str, int] = {
    # The whole object as JSON: usually 5 KB, up to 1 MB.
    "Rollout.manifest": 10,
    # Each passes over the fleet until it has a page full: 4 ms for 10,000, at worst.
    "Query.rollouts": 20,
    # Over a cluster or the fleet, to the end.
    "RolloutConnection.totalCount": 10,
    # Over the fleet, to the end: 20 ms for 10,000.
    "Query.analysisRuns": 100,
    "Query.rolloutSummary": 100,
    # Over all that is kept, to the end: 10 ms for 10,000 rows.
    "Query.auditEvents": 50,
    "Rollout.auditEvents": 50,
    # A read of a spoke and one to three writes: some 10 ms, of which it computes one.
    **{
        f"Mutation.{name}": 10
        for name in (
            "abortRollout",
            "jumpToRolloutStep",
            "pauseRollout",
            "promoteRollout",
            "promoteRolloutFull",
            "restartRollout",
            "resumeRollout",
            "retryRollout",
            "setRolloutImage",
            "skipRolloutStep",
            "terminateAnalysisRun",
            "terminateExperiment",
            "undoRollout",
        )
    },
    "Mutation.bulkRolloutAction": 50,
    # Over the fleet, to the end, and again each second.
    "Subscription.rolloutSummaryChanged": 200,
    # Over the fleet once, and over each change of it.
    "Subscription.rolloutEvents": 100,
}

# Each time that one is set, wherever it stands in a filter.
INPUT_WEIGHTS: Mapping[str, int] = {
    # A usual test takes 0.1 us per rollout, 1 ms for 10,000.
    **{
        f"RolloutFilter.{field}": 30
        for field in (
            "aborted",
            "and",
            "cluster",
            "image",
            "labelSelector",
            "name",
            "namespace",
            "not",
            "or",
            "pauseReason",
            "phase",
            "strategy",
            "updatedAt",
        )
    },
    # A usual glob is as fast, but the worst takes 50 us per rollout: 0.5 s for 10,000.
    "StringFilter.matches": 500,
    # One of the rollouts that a bulk lists, and has to be done whether its result is shown or not.
    "RolloutRefInput.id": 1,
    "RolloutRefInput.key": 1,
    # The first page in an order that nobody has asked for lately sorts the fleet: 50 ms.
    "RolloutOrder.field": 50,
}

# How long the lists of introspection are, for this schema of some 130 types.
INTROSPECTION_SIZES: Mapping[str, int] = {
    "__Schema.types": 150,
    "__Schema.directives": 8,
    "__Type.fields": 10,
    "__Type.inputFields": 5,
    "__Type.interfaces": 1,
    "__Type.enumValues": 5,
    "__Type.possibleTypes": 2,
    "__Field.args": 2,
    "__Directive.args": 3,
}
