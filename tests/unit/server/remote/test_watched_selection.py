from pathlib import Path

import pytest
from graphql import build_schema, parse, validate

from rollgraph.core.errors import ConfigError
from rollgraph.core.refs import RolloutRef
from rollgraph.server.remote.watching.documents import CENSUS, CLUSTERS, ROLLOUTS
from rollgraph.server.remote.watching.selection import select


def test_nothing_said_means_all() -> None:
    selection = select([], [])
    assert selection.filter == {}
    assert selection.clusters == {}
    assert not selection.exact


def test_a_name_is_one_rollout_on_one_cluster() -> None:
    selection = select(["east/shop/checkout"], [])
    assert selection.named == (RolloutRef("east", "shop", "checkout"),)
    assert selection.filter == {
        "cluster": {"eq": "east"},
        "namespace": {"eq": "shop"},
        "name": {"eq": "checkout"},
    }
    assert selection.clusters == {"name": {"eq": "east"}}
    assert selection.exact


def test_parts_of_a_name_may_be_globs_and_then_nobody_knows_how_many_are_meant() -> None:
    selection = select(["*/shop/check*", "east/shop/cart"], [])
    assert selection.named == (RolloutRef("east", "shop", "cart"),)
    assert selection.filter == {
        "or": [
            {"namespace": {"eq": "shop"}, "name": {"matches": "check*"}},
            {"cluster": {"eq": "east"}, "namespace": {"eq": "shop"}, "name": {"eq": "cart"}},
        ]
    }
    assert selection.clusters == {}
    assert not selection.exact


def test_one_key_again_is_another_value_and_another_key_another_condition() -> None:
    selection = select([], ["namespace=shop", "namespace=web-*", "phase=paused", "labels=app=api"])
    assert selection.filter == {
        "and": [
            {"or": [{"namespace": {"eq": "shop"}}, {"namespace": {"matches": "web-*"}}]},
            {"phase": ["PAUSED"]},
            {"labelSelector": "app=api"},
        ]
    }


def test_the_only_cluster_is_the_only_one_listened_to() -> None:
    assert select([], ["cluster=east"]).clusters == {"name": {"eq": "east"}}
    assert select([], ["cluster=east", "cluster=west"]).clusters == {}


@pytest.mark.parametrize(
    ("names", "conditions", "said"),
    [
        (["checkout"], [], "expected CLUSTER/NAMESPACE/NAME; got 'checkout'"),
        (["east//checkout"], [], "expected CLUSTER/NAMESPACE/NAME"),
        ([], ["colour=red"], "--filter: expected one of cluster=, namespace=, name=,"),
        ([], ["namespace"], "got 'namespace'"),
    ],
)
def test_what_makes_no_sense_is_said(names: list[str], conditions: list[str], said: str) -> None:
    with pytest.raises(ConfigError, match=said.replace("*", r"\*")):
        select(names, conditions)


@pytest.mark.parametrize("document", [CENSUS, ROLLOUTS, CLUSTERS])
def test_what_is_asked_is_in_the_published_schema(document: str) -> None:
    published = Path(__file__).parents[4] / "schema" / "schema.graphql"
    schema = build_schema(published.read_text("utf-8"))
    assert validate(schema, parse(document)) == []
