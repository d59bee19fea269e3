"""A small Rollouts controller, and those of a cluster that it needs: ReplicaSets, pods, analyses.

`rollouts.reconcile` and its modules are pure: from the objects of one rollout and the time to what
is to be written. The rules, and the order in which they are tried, are those of Argo Rollouts 1.10
(`rollout/*.go`, `utils/replicaset`, `utils/conditions`); each module names the file that it
follows.
"""
