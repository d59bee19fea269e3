"""Rollouts counted in groups, and analysis runs of the whole fleet."""

from typing import Any

import samples
from rollgraph.core.view import build_view
from unit.schema.asking import Fleet, cluster, fleet, view

SUMMARY = """
query Summary($groupBy: [RolloutGroupKey!]!, $filter: RolloutFilter) {
  rolloutSummary(groupBy: $groupBy, filter: $filter) {
    cluster namespace phase strategy environment count
  }
}
"""


def three() -> Fleet:
    made = fleet()
    made.mirror.put_cluster(cluster("east", labels={"environment": "prod"}))
    made.mirror.put_cluster(cluster("west"))
    made.put(view("canary-healthy", cluster="east", name="cart"))
    made.put(view("canary-healthy", cluster="west", name="cart"))
    made.put(view("blue-green-paused", cluster="east", name="web"))
    return made


def buckets(made: Fleet, *keys: str, **variables: object) -> list[dict[str, Any]]:
    answer = made.ask(SUMMARY, groupBy=list(keys), **variables)["rolloutSummary"]
    return [{key: value for key, value in bucket.items() if value is not None} for bucket in answer]


def test_without_more_words_rollouts_are_counted_by_phase() -> None:
    answer = three().ask("{ rolloutSummary { phase count } }")["rolloutSummary"]
    assert answer == [{"phase": "HEALTHY", "count": 2}, {"phase": "PAUSED", "count": 1}]


def test_groups_can_have_several_keys() -> None:
    assert buckets(three(), "STRATEGY", "CLUSTER") == [
        {"strategy": "BLUE_GREEN", "cluster": "east", "count": 1},
        {"strategy": "CANARY", "cluster": "east", "count": 1},
        {"strategy": "CANARY", "cluster": "west", "count": 1},
    ]


def test_a_cluster_without_an_environment_has_a_bucket_without_one() -> None:
    assert buckets(three(), "ENVIRONMENT") == [{"environment": "prod", "count": 2}, {"count": 1}]


def test_no_key_counts_all_that_match() -> None:
    assert buckets(three(), filter={"name": {"eq": "cart"}}) == [{"count": 2}]


def test_nothing_makes_no_bucket() -> None:
    assert buckets(fleet(), "PHASE") == []


def test_analysis_runs_of_all_rollouts_come_latest_first() -> None:
    made = fleet()
    made.mirror.put_cluster(cluster("east"))
    for path in (samples.DATA / "families").glob("*.yaml"):
        made.put(build_view("east", *samples.family(path.stem)))
    document = "{ analysisRuns { nodes { name createdAt rollout { name } } totalCount } }"
    answer = made.ask(document)["analysisRuns"]
    created = [node["createdAt"] for node in answer["nodes"]]
    assert len(created) == answer["totalCount"] > 1
    assert created == sorted(created, reverse=True)
    assert all(node["rollout"] for node in answer["nodes"])
