"""Actions planned on objects as a spoke has them."""

from datetime import UTC, datetime
from typing import Any

from rollgraph.core.actions.action import Action
from rollgraph.core.actions.plan import ANYWHERE, Expectations, Live, Plan, Reason, Refusal
from rollgraph.core.actions.planning import plan
from samples import Patch, manifest

NOW = datetime(2026, 5, 12, 9, 30, 15, 250_000, tzinfo=UTC)


def planned(
    action: Action, name: str, patch: Patch | None = None, expected: Expectations = ANYWHERE
) -> Plan:
    """The plan for a rollout of `data/rollouts`; a refusal fails the test."""
    answer = asked(action, name, patch, expected)
    assert isinstance(answer, Plan), answer
    return answer


def refused(
    action: Action, name: str, patch: Patch | None = None, expected: Expectations = ANYWHERE
) -> Refusal:
    """The refusal for a rollout of `data/rollouts`; a plan fails the test."""
    answer = asked(action, name, patch, expected)
    assert isinstance(answer, Refusal), answer
    return answer


def asked(
    action: Action, name: str, patch: Patch | None = None, expected: Expectations = ANYWHERE
) -> Plan | Refusal:
    """What is planned for a rollout of `data/rollouts`."""
    return plan(action, Live(manifest(f"rollouts/{name}", patch)), NOW, expected)


def sent(answer: Plan) -> list[tuple[str, Any]]:
    """What each patch of the rollout goes to ("" for the object itself), and its body."""
    return [(patch.subresource, patch.body) for patch in answer.patches]


def why(answer: Refusal) -> tuple[Reason, str]:
    """A refusal, short to compare."""
    return answer.reason, answer.message
