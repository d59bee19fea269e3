"""What Rollgraph holds, object by object, beside what the spokes' own lists say."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from acceptance.gateway import Gateway
from testbed.cluster import Object
from testbed.deadline import wait_until
from testbed.spoke import Spoke

KINDS = ("Rollout", "ReplicaSet", "Pod", "AnalysisRun", "Experiment")
HASH_LABEL = "rollouts-pod-template-hash"

DOCUMENT = """
query Ledger($after: String, $cluster: String!, $namespace: String!) {
  rollouts(
    first: 10, after: $after
    filter: {cluster: {eq: $cluster}, namespace: {eq: $namespace}}
  ) {
    nodes {
      ...Entry
      revisions(first: 8) { nodes { replicaSet { ...Owner } } }
      analysisRuns(first: 40) { nodes { ...Entry } }
      experiments(first: 3) {
        nodes { ...Entry replicaSets { ...Owner } analysisRuns { ...Entry } }
      }
    }
    pageInfo { hasNextPage endCursor }
  }
}
fragment Entry on KubernetesObject { __typename name uid resourceVersion }
fragment Owner on ReplicaSet { ...Entry pods(first: 6) { nodes { ...Entry } } }
"""


@dataclass(frozen=True, order=True)
class Entry:
    """One object in one version."""

    kind: str
    name: str
    uid: str
    resource_version: str


def agree(gateway: Gateway, spoke: Spoke, namespace: str, seconds: float = 30) -> int:
    """Waits until both hold the same objects in the same versions; returns how many.

    Fails with what is missing, too much or in another version on either side.
    """
    agreed: set[Entry] = set()

    def check() -> str | None:
        nonlocal agreed
        theirs, ours = set(listed(spoke, namespace)), set(held(gateway, spoke.name, namespace))
        agreed = theirs & ours
        missing, extra = sorted(theirs - ours), sorted(ours - theirs)
        if not missing and not extra:
            return None
        return f"{len(missing)} missing: {missing[:3]}; {len(extra)} too much: {extra[:3]}"

    wait_until(check, seconds=seconds, what=f"the lists of {spoke.name}/{namespace} agree")
    return len(agreed)


def listed(spoke: Spoke, namespace: str) -> Iterator[Entry]:
    """What the spoke itself lists of the kinds that Rollgraph watches."""
    for kind in KINDS:
        labels = HASH_LABEL if kind in ("ReplicaSet", "Pod") else ""
        for item in spoke.cluster().list(kind, namespace, labels):
            yield _listed(kind, item)


def held(gateway: Gateway, cluster: str, namespace: str) -> Iterator[Entry]:
    """What Rollgraph answers, walked page by page."""
    after: str | None = None
    while True:
        answer = gateway.ask(DOCUMENT, after=after, cluster=cluster, namespace=namespace)
        page = answer["rollouts"]
        for rollout in page["nodes"]:
            yield from _rollout(rollout)
        if not page["pageInfo"]["hasNextPage"]:
            return
        after = page["pageInfo"]["endCursor"]


def _rollout(found: dict[str, Any]) -> Iterator[Entry]:
    yield _held(found)
    own = (revision["replicaSet"] for revision in found["revisions"]["nodes"])
    yield from _replica_sets(filter(None, own))
    yield from map(_held, found["analysisRuns"]["nodes"])
    for experiment in found["experiments"]["nodes"]:
        yield _held(experiment)
        yield from _replica_sets(experiment["replicaSets"])
        yield from map(_held, experiment["analysisRuns"])


def _replica_sets(found: Iterable[dict[str, Any]]) -> Iterator[Entry]:
    for replica_set in found:
        yield _held(replica_set)
        yield from map(_held, replica_set["pods"]["nodes"])


def _held(found: dict[str, Any]) -> Entry:
    return Entry(found["__typename"], found["name"], found["uid"], found["resourceVersion"])


def _listed(kind: str, item: Object) -> Entry:
    meta = item["metadata"]
    return Entry(kind, meta["name"], meta["uid"], meta["resourceVersion"])
