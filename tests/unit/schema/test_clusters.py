"""What can be asked of clusters."""

from rollgraph.core.connection import ConnectionStatus, Problem, WatchView
from rollgraph.core.refs import Kind
from unit.schema.asking import NOW, Fleet, cluster, disconnected, fleet, view

NAMES = """
query Names($filter: ClusterFilter, $orderBy: ClusterOrder) {
  clusters(filter: $filter, orderBy: $orderBy) { nodes { name } totalCount }
}
"""


def three() -> Fleet:
    made = fleet()
    made.mirror.put_cluster(cluster("prod-eu", labels={"environment": "prod", "region": "eu"}))
    made.mirror.put_cluster(cluster("prod-us", seconds_ago=3, labels={"environment": "prod"}))
    made.mirror.put_cluster(disconnected("lab"))
    made.put(view("canary-healthy", cluster="prod-us"))
    return made


def names(made: Fleet, **variables: object) -> list[str]:
    return [node["name"] for node in made.ask(NAMES, **variables)["clusters"]["nodes"]]


def test_clusters_come_by_name() -> None:
    assert names(three()) == ["lab", "prod-eu", "prod-us"]


def test_clusters_are_filtered_by_label_environment_region_and_state() -> None:
    made = three()
    assert names(made, filter={"labelSelector": "region=eu"}) == ["prod-eu"]
    assert names(made, filter={"environment": {"eq": "prod"}}) == ["prod-eu", "prod-us"]
    assert names(made, filter={"region": {"eq": "eu"}, "name": {"startsWith": "p"}}) == ["prod-eu"]
    assert names(made, filter={"status": ["DISCONNECTED"]}) == ["lab"]


def test_clusters_are_ordered_by_lag_and_by_their_rollouts() -> None:
    made = three()
    down, up = {"direction": "DESC"}, {"direction": "ASC"}
    assert names(made, orderBy={"field": "LAG", **up}) == ["prod-eu", "prod-us", "lab"]
    assert names(made, orderBy={"field": "LAG", **down}) == ["prod-eu", "prod-us", "lab"][::-1]
    assert names(made, orderBy={"field": "ROLLOUT_COUNT", **down}) == ["prod-us", "prod-eu", "lab"]
    assert names(made, orderBy={"field": "NAME", **down}) == ["prod-us", "prod-eu", "lab"]


def test_a_cluster_counts_its_rollouts_and_names_their_namespaces() -> None:
    answer = three().ask(
        '{ cluster(name: "prod-us") { health namespaces rolloutCounts { phase count } } }'
    )
    assert answer["cluster"] == {
        "health": "HEALTHY",
        "namespaces": ["shop"],
        "rolloutCounts": [{"phase": "HEALTHY", "count": 1}],
    }


def test_a_cluster_with_a_degraded_rollout_is_degraded() -> None:
    made = three()
    made.put(view("canary-aborted", cluster="prod-us"))
    assert made.ask('{ cluster(name: "prod-us") { health } }')["cluster"]["health"] == "DEGRADED"


def test_a_cluster_that_is_not_in_the_fleet_is_null() -> None:
    assert three().ask('{ cluster(name: "mars") { name } }') == {"cluster": None}


def test_each_watch_says_what_stands_in_its_way() -> None:
    made = fleet()
    pods = WatchView(
        Kind.POD, "", ConnectionStatus.DISCONNECTED, NOW, Problem.FORBIDDEN, "pods is forbidden"
    )
    made.mirror.put_cluster(
        cluster(
            "east", status=ConnectionStatus.DEGRADED, problem=Problem.FORBIDDEN, watches=(pods,)
        )
    )
    answer = made.ask(
        """{ cluster(name: "east") { health connection {
               status problem watches { resource namespace status problem lastError }
        } } }"""
    )
    assert answer["cluster"]["health"] == "UNKNOWN"
    assert answer["cluster"]["connection"] == {
        "status": "DEGRADED",
        "problem": "FORBIDDEN",
        "watches": [
            {
                "resource": "Pod",
                "namespace": None,
                "status": "DISCONNECTED",
                "problem": "FORBIDDEN",
                "lastError": "pods is forbidden",
            }
        ],
    }
