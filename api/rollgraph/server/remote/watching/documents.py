"""What is asked of a server: which rollouts there are, and then what happens to them."""

# What is shown of a rollout; `state.Shown` reads it.
_SHOWN = """
fragment Shown on Rollout {
  clusterName namespace name
  phase message aborted
  images { container image }
  steps { index label state }
  currentStepIndex
  progress {
    percent stepsCompleted stepsTotal
    waiting { reason message human until exact }
  }
  split { desiredWeight actualWeight slices { roles pods readyPods } }
  replicas { desired current updated ready available }
  freshness { stale }
}
"""

# The rollouts that match now: more may come, but without these nobody can say that all are healthy.
CENSUS = """
query Watch($filter: RolloutFilter, $first: Int!) {
  rollouts(filter: $filter, first: $first) {
    totalCount
    nodes { clusterName namespace name }
    clusters { cluster { name } included }
  }
}
"""

ROLLOUTS = (
    """
subscription Watch($filter: RolloutFilter, $resumeAfter: String) {
  event: rolloutEvents(filter: $filter, resumeAfter: $resumeAfter) {
    kind cursor occurredAt receivedAt clusterName
    ... on RolloutSnapshotEvent { rollout { ...Shown } }
    ... on RolloutUpdatedEvent { changedFields rollout { ...Shown } }
    ... on PhaseChangedEvent { rollout { ...Shown } }
    ... on StepChangedEvent { rollout { ...Shown } }
    ... on WeightChangedEvent { rollout { ...Shown } }
    ... on PodsChangedEvent { rollout { ...Shown } }
    ... on AnalysisRunChangedEvent { rollout { ...Shown } }
    ... on RolloutDeletedEvent { namespace name }
    ... on ResyncEvent { reason }
  }
}
"""
    + _SHOWN
)

CLUSTERS = """
subscription WatchClusters($filter: ClusterFilter) {
  event: clusterConnectionChanged(filter: $filter) {
    kind occurredAt receivedAt clusterName
    cluster { connection { status problem lastError since } }
  }
}
"""
