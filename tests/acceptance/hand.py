"""Actions asked of Rollgraph over HTTP, as anybody asks for them."""

from typing import Any

from acceptance.gateway import Gateway
from testbed.deadline import wait_until
from testbed.scenarios.stage import Stage

# Seconds until a change on a spoke is in an answer; it takes some 10 ms on an idle machine.
SEEN = 10.0
ROLLOUT = """
query R($cluster: String!, $namespace: String!, $name: String!) {
  rollout(cluster: $cluster, namespace: $namespace, name: $name) { %s }
}
"""
CHOSEN = "applied message patches { body } userErrors { code message retryable }"


class Hand:
    """Acts on rollouts through a gateway."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def act(self, stage: Stage, mutation: str, **input: object) -> dict[str, Any]:
        """The payload of an action that goes well."""
        payload = self.ask(stage, mutation, **input)
        assert payload["userErrors"] == []
        assert payload["applied"]
        return payload

    def refused(self, stage: Stage, mutation: str, **input: object) -> dict[str, Any]:
        """The user error of an action of which nothing is done."""
        payload = self.ask(stage, mutation, **input)
        assert not payload["applied"]
        (error,) = payload["userErrors"]
        return dict(error)

    def ask(self, stage: Stage, mutation: str, **input: object) -> dict[str, Any]:
        """The payload of an action on a stage's rollout, or on what has the `id`."""
        target = {} if "id" in input else {"rollout": {"key": _key(stage)}}
        type_ = f"{mutation[0].upper()}{mutation[1:]}Input!"
        document = f"mutation M($in: {type_}) {{ {mutation}(input: $in) {{ {CHOSEN} }} }}"
        found: dict[str, Any] = self._gateway.ask(document, **{"in": target | input})[mutation]
        return found

    def running(self, stage: Stage, what: str) -> str:
        """The id of the only one of the rollout's `analysisRuns` or `experiments` that runs."""
        found: list[str] = []

        def check() -> str | None:
            selection = f"{what} {{ nodes {{ id phase }} }}"
            answer = self._gateway.ask(ROLLOUT % selection, **_key(stage))["rollout"]
            nodes = answer[what]["nodes"] if answer else []
            found[:] = [item["id"] for item in nodes if item["phase"] == "RUNNING"]
            return None if len(found) == 1 else f"{len(found)} of {nodes}"

        wait_until(check, seconds=SEEN, what=f"one of {what} runs")
        return found[0]


def _key(stage: Stage) -> dict[str, str]:
    return {
        "cluster": stage.spoke.name,
        "namespace": stage.namespace,
        "name": stage.rollout,
    }
