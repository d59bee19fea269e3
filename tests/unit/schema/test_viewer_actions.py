"""What a viewer may do now, and if not, why: rights, then the rollout's state, then the cluster."""

from datetime import timedelta
from typing import Any

import orjson
import pytest

from fakes.rights import Some
from rollgraph.access.caller import ANYBODY, Caller
from rollgraph.core.verbs import Scope, Verb
from rollgraph.schema.context import Context
from rollgraph.schema.fragments import FragmentCache
from unit.schema.asking import NOW, Fleet, cluster, disconnected, fleet, view

ASK = """
query Actions($of: [RolloutAction!]) {
  rollouts {
    nodes { viewerActions(actions: $of) { action allowed reason message missingScopes } }
  }
}
"""


@pytest.fixture
def paused() -> Fleet:
    made = fleet()
    made.mirror.put_cluster(cluster("east"))
    made.put(view("canary-paused-at-step-3"))
    return made


def actions(
    made: Fleet, *of: str, caller: Caller = ANYBODY, kept: FragmentCache | None = None
) -> dict[str, Any]:
    """What the only rollout's viewer may do, by action."""
    patience = timedelta(seconds=10)
    context = Context(made.mirror, NOW, patience, "req-1", fragments=kept, caller=caller)
    asked = Fleet(made.mirror, context).ask(ASK, of=list(of) or None)
    (node,) = orjson.loads(orjson.dumps(asked))["rollouts"]["nodes"]
    return {item["action"]: item for item in node["viewerActions"]}


def test_without_a_login_the_rollouts_state_decides(paused: Fleet) -> None:
    found = actions(paused)
    allowed = {name for name, item in found.items() if item["allowed"]}
    assert {"PROMOTE", "PROMOTE_FULL", "ABORT", "RESTART", "SET_IMAGE"} <= allowed
    assert found["RETRY"]["allowed"] is False
    assert found["RETRY"]["reason"] == "NOT_APPLICABLE"
    assert found["RETRY"]["message"]


def test_only_what_is_asked_for_is_told(paused: Fleet) -> None:
    assert list(actions(paused, "ABORT", "PROMOTE", "ABORT")) == ["ABORT", "PROMOTE"]


@pytest.mark.parametrize(
    ("rights", "scopes"),
    [
        (Some(shown=lambda _: True, verbs=[Verb.PROMOTE, Verb.RETRY]), []),
        (
            Some(shown=lambda _: True, verbs=list(Verb)).narrowed(Scope.READ, Scope.PROMOTE),
            ["rollouts:abort"],
        ),
    ],
    ids=["by a policy", "by a narrow token"],
)
def test_rights_come_first(paused: Fleet, rights: Some, scopes: list[str]) -> None:
    found = actions(paused, "PROMOTE", "ABORT", caller=Caller(rights))
    assert found["PROMOTE"]["allowed"] is True
    assert found["ABORT"]["reason"] == "FORBIDDEN"
    assert found["ABORT"]["missingScopes"] == scopes
    assert found["ABORT"]["message"]


def test_then_comes_the_state_even_of_a_lost_cluster(paused: Fleet) -> None:
    paused.mirror.put_cluster(disconnected("east"))
    found = actions(paused, "RETRY", "ABORT")
    assert found["RETRY"]["reason"] == "NOT_APPLICABLE"
    assert found["ABORT"]["reason"] == "CLUSTER_UNAVAILABLE"
    assert found["ABORT"]["message"] == "east cannot be reached now"


def test_a_cluster_that_is_silent_tells_nothing(paused: Fleet) -> None:
    paused.mirror.put_cluster(cluster("east", seconds_ago=11))
    found = actions(paused, "ABORT")
    assert found["ABORT"]["allowed"] is False
    assert found["ABORT"]["reason"] == "STALE_STATE"


def test_no_kept_answer_tells_one_viewer_what_another_may(paused: Fleet) -> None:
    kept = FragmentCache()
    caller = Caller(Some(shown=lambda _: True))
    for _ in range(2):
        assert actions(paused, "ABORT", kept=kept)["ABORT"]["allowed"] is True
        assert actions(paused, "ABORT", caller=caller, kept=kept)["ABORT"]["reason"] == "FORBIDDEN"
    paused.mirror.put_cluster(disconnected("east"))
    assert actions(paused, "ABORT", kept=kept)["ABORT"]["reason"] == "CLUSTER_UNAVAILABLE"
