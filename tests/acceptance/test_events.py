"""What the controller recorded about a rollout is what Rollgraph answers."""

import pytest

from acceptance.gateway import Gateway
from testbed.deadline import wait_until
from testbed.fleet import Fleet
from testbed.scenarios import by_name

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(300)]

EVENTS = """
query Events($namespace: String!, $name: String!) {
  rollout(cluster: "east", namespace: $namespace, name: $name) {
    events(first: 200) { nodes { type reason message count } }
  }
}
"""


def test_the_events_of_a_life_are_those_of_the_spoke(fleet: Fleet, gateway: Gateway) -> None:
    told: set[tuple[str, str, str, int]] = set()
    for moment in by_name("guestbook").play(fleet["east"]):

        def check() -> str | None:
            nonlocal told
            place = {"namespace": moment.namespace, "name": moment.rollout}  # noqa: B023
            answer = gateway.ask(EVENTS, **place)["rollout"]["events"]["nodes"]
            told = {(e["type"], e["reason"], e["message"], e["count"]) for e in answer}
            theirs = {
                (e["type"], e["reason"], e["message"], e.get("count", 1))
                for e in fleet["east"].cluster().list("Event", moment.namespace)  # noqa: B023
                if e["involvedObject"]["kind"] == "Rollout"
            }
            return None if told == theirs else f"ours {told - theirs}, theirs {theirs - told}"

        wait_until(check, seconds=5, what=f"events at {moment.name}")
    assert {"RolloutCompleted", "RolloutPaused"} <= {reason for _, reason, _, _ in told}
