"""What can be asked of rollouts."""

import pytest

from unit.schema.asking import Fleet, cluster, disconnected, fleet, view

LIST = """
query List($first: Int, $after: String, $filter: RolloutFilter, $orderBy: [RolloutOrder!]) {
  rollouts(first: $first, after: $after, filter: $filter, orderBy: $orderBy) {
    nodes { clusterName namespace name phase }
    pageInfo { hasNextPage endCursor }
    totalCount
    partial
    clusters { cluster { name } included stale reason }
  }
}
"""


@pytest.fixture
def fleet_of_two() -> Fleet:
    made = fleet()
    made.mirror.put_cluster(cluster("east"))
    made.mirror.put_cluster(cluster("west"))
    made.put(view("canary-paused-for-5m", cluster="east"))
    made.put(view("canary-healthy", cluster="east", name="cart"))
    made.put(view("canary-aborted", cluster="west", name="cart"))
    return made


def test_one_rollout_is_found_by_its_place(fleet_of_two: Fleet) -> None:
    answer = fleet_of_two.ask(
        '{ rollout(cluster: "east", namespace: "shop", name: "checkout") { phase message } }'
    )
    assert answer["rollout"] == {"phase": "PAUSED", "message": "CanaryPauseStep"}


def test_a_rollout_that_does_not_exist_is_null(fleet_of_two: Fleet) -> None:
    answer = fleet_of_two.ask(
        '{ rollout(cluster: "north", namespace: "shop", name: "checkout") { phase } }'
    )
    assert answer == {"rollout": None}


def test_all_clusters_come_in_one_list_by_cluster_namespace_and_name(fleet_of_two: Fleet) -> None:
    found = fleet_of_two.ask(LIST)["rollouts"]
    assert [(n["clusterName"], n["name"]) for n in found["nodes"]] == [
        ("east", "cart"),
        ("east", "checkout"),
        ("west", "cart"),
    ]
    assert found["totalCount"] == 3
    assert found["partial"] is False


def test_a_filter_narrows_the_list_and_its_count(fleet_of_two: Fleet) -> None:
    found = fleet_of_two.ask(LIST, filter={"or": [{"phase": ["PAUSED"]}, {"aborted": True}]})
    assert [n["name"] for n in found["rollouts"]["nodes"]] == ["checkout", "cart"]
    assert found["rollouts"]["totalCount"] == 2


def test_the_most_urgent_phase_can_come_first(fleet_of_two: Fleet) -> None:
    found = fleet_of_two.ask(LIST, orderBy=[{"field": "PHASE"}])
    phases = [node["phase"] for node in found["rollouts"]["nodes"]]
    assert phases == ["DEGRADED", "PAUSED", "HEALTHY"]


def test_pages_go_on_where_the_last_one_ended(fleet_of_two: Fleet) -> None:
    first = fleet_of_two.ask(LIST, first=2)["rollouts"]
    second = fleet_of_two.ask(LIST, first=2, after=first["pageInfo"]["endCursor"])["rollouts"]
    assert first["pageInfo"]["hasNextPage"] is True
    assert [node["clusterName"] for node in second["nodes"]] == ["west"]
    assert second["pageInfo"]["hasNextPage"] is False


def test_a_lost_cluster_keeps_its_rollouts_and_says_that_they_are_stale(
    fleet_of_two: Fleet,
) -> None:
    fleet_of_two.mirror.put_cluster(disconnected("west"))
    found = fleet_of_two.ask(LIST)["rollouts"]
    assert len(found["nodes"]) == 3
    assert found["partial"] is True
    assert found["clusters"] == [
        {"cluster": {"name": "east"}, "included": True, "stale": False, "reason": None},
        {
            "cluster": {"name": "west"},
            "included": True,
            "stale": True,
            "reason": "Rollout: connection refused",
        },
    ]


def test_a_silent_cluster_is_stale_after_the_patience(fleet_of_two: Fleet) -> None:
    fleet_of_two.mirror.put_cluster(cluster("west", seconds_ago=11))
    answer = fleet_of_two.ask(
        """{ rollout(cluster: "west", namespace: "shop", name: "cart") {
               freshness { observedAt lag stale } cluster { health }
        } }"""
    )
    assert answer["rollout"] == {
        "freshness": {"observedAt": "2026-05-12T09:01:49Z", "lag": "PT11S", "stale": True},
        "cluster": {"health": "UNREACHABLE"},
    }


def test_a_cluster_s_own_list_speaks_for_it_alone(fleet_of_two: Fleet) -> None:
    fleet_of_two.mirror.put_cluster(disconnected("west"))
    answer = fleet_of_two.ask(
        '{ cluster(name: "east") { rollouts { totalCount partial nodes { name } } } }'
    )
    assert answer["cluster"]["rollouts"] == {
        "totalCount": 2,
        "partial": False,
        "nodes": [{"name": "cart"}, {"name": "checkout"}],
    }


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param("first: -1", "`first`", id="negative page"),
        pytest.param("first: 201", "between 0 and 200", id="page too large"),
        pytest.param("first: 1, last: 1", "not both", id="both ends"),
        pytest.param('after: "x"', "cursor", id="foreign cursor"),
        pytest.param('filter: {labelSelector: "a in ("}', "column 7", id="broken selector"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_code(
    fleet_of_two: Fleet, arguments: str, said: str
) -> None:
    code, message = fleet_of_two.error(f"{{ rollouts({arguments}) {{ totalCount }} }}")
    assert code == "BAD_USER_INPUT"
    assert said in message


def test_a_bug_of_ours_is_masked_and_can_be_found_by_the_request_id(
    fleet_of_two: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fleet_of_two.mirror, "count", lambda _: 1 // 0)
    result = fleet_of_two.run("{ rollouts { totalCount } }")
    assert result.errors is not None
    (error,) = result.errors
    assert error.message == "Internal error"
    assert error.extensions == {"code": "INTERNAL_SERVER_ERROR", "requestId": "req-1"}


@pytest.mark.parametrize(
    ("document", "code"),
    [("{", "GRAPHQL_PARSE_FAILED"), ("{ nothing }", "GRAPHQL_VALIDATION_FAILED")],
)
def test_a_broken_document_is_refused_with_a_code(document: str, code: str) -> None:
    assert fleet().error(document)[0] == code
