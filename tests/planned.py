"""Actions planned on objects as a spoke has them."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from rollgraph.core.actions.action import Action
from rollgraph.core.actions.plan import (
    ANYWHERE,
    Expectations,
    Live,
    Need,
    PatchType,
    Plan,
    Reason,
    Refusal,
    Resource,
)
from rollgraph.core.actions.plan import Patch as SpokePatch
from rollgraph.core.actions.planning import needs, plan
from rollgraph.simulation.patching import merged, patched
from samples import Patch, manifest

Document = dict[str, Any]
_RESOURCES = {
    "Rollout": Resource.ROLLOUT,
    "ReplicaSet": Resource.REPLICA_SET,
    "Deployment": Resource.DEPLOYMENT,
    "PodTemplate": Resource.POD_TEMPLATE,
    "AnalysisRun": Resource.ANALYSIS_RUN,
    "Experiment": Resource.EXPERIMENT,
}
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


def live(action: Action, documents: Sequence[Document], name: str = "") -> Live:
    """What an executor reads for an action, if these objects are all that a spoke has.

    Args:
        name: The rollout's; "" if there is only one.
    """
    (rollout,) = (
        item
        for item in documents
        if item["kind"] == "Rollout" and name in {"", item["metadata"]["name"]}
    )
    found = {need: tuple(_found(need, documents)) for need in needs(action, rollout)}
    return Live(rollout, found)


def applied(answer: Plan, documents: Sequence[Document]) -> list[Document]:
    """The objects as they are once the patches are sent."""
    after = list(documents)
    for patch in answer.patches:
        (at,) = (
            number
            for number, item in enumerate(after)
            if _resource(item) is patch.resource and item["metadata"]["name"] == patch.key.name
        )
        after[at] = _changed(after[at], patch)
    return after


def _changed(item: Document, patch: SpokePatch) -> Document:
    if patch.type is PatchType.JSON:
        return dict(patched(item, patch.body))
    # Whoever writes a status writes nothing else, and the other way round.
    assert list(patch.body) == [patch.subresource or "spec"]
    return dict(merged(item, patch.body))


def _found(need: Need, documents: Iterable[Document]) -> Iterator[Document]:
    for item in documents:
        if _resource(item) is not need.resource:
            continue
        metadata = item["metadata"]
        if need.name == metadata["name"] or need.selector in metadata.get("labels", {}):
            yield item


def _resource(item: Document) -> Resource | None:
    return _RESOURCES.get(item["kind"])
