"""Clusters that do not exist: enough of a Kubernetes API server, and a small Rollouts controller.

`rollgraph demo` and load tests watch them in place of real clusters. `tests/contract` plays the
same lives on real control planes and on these, and compares what Rollgraph says at each moment, so
that the simulation cannot drift from what it simulates.

What is simpler than the real thing:

- Objects live in memory. The API server knows the kinds of `resources` alone, and checks no schema.
  It knows two users: one who may do everything, as may who sends no token, and one who may read.
  There is no TLS, and client-go sends no token without. Server-side apply is a merge patch that may
  create.
- Traffic routers, experiments and step plugins are not played: a rollout that wants one is
  `Degraded` with `InvalidSpec`, which says so.
- Metrics are not measured: a canary whose image tag ends in `-errors` fails its analyses, any other
  passes them. In the same way `-crash`, `-nopull` and `-pending` are pods that do not become ready.
- The strategies' rarer fields are ignored: ephemeral metadata, anti-affinity, rollback windows,
  progress thresholds, `minPodsPerReplicaSet`, limits of retained revisions other than the number.
- Names end in hashes that look right, but are not those that the real controller would compute.
"""
