"""Rollouts at all moments that are recorded, with what might come on top, and what to ask then."""

import copy
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from planned import NOW, Document
from rollgraph.core.actions.action import (
    Abort,
    Action,
    JumpToStep,
    Pause,
    Promote,
    PromoteFull,
    Restart,
    Resume,
    Retry,
    SetImage,
    SkipStep,
    TerminateAnalysisRun,
    TerminateExperiment,
    Undo,
)
from rollgraph.core.verbs import Verb
from samples import DATA, manifest, manifests, merged
from testbed.record import recordings

TEMPLATE: Document = {"template": {"spec": {"containers": [{"name": "web", "image": "web:1"}]}}}


def _with_template(item: Document) -> Document:
    """With a pod template, which objects of `data` lack where it says nothing to their tests."""
    if item["kind"] not in {"Rollout", "ReplicaSet"} or "template" in item["spec"]:
        return item
    return merged(item, {"spec": TEMPLATE})


def _with_workload(rollout: Document) -> list[Document]:
    if "workloadRef" not in rollout["spec"]:
        return [_with_template(rollout)]
    return [rollout, {"kind": "Deployment", "metadata": rollout["metadata"], "spec": TEMPLATE}]


MOMENTS: dict[str, tuple[str, Sequence[Document]]] = {
    **{item.name: (item.rollout, item.objects) for item in recordings()},
    **{
        f"family {path.stem}": (
            next(i["metadata"]["name"] for i in documents if i["kind"] == "Rollout"),
            [_with_template(item) for item in documents],
        )
        for path in sorted((DATA / "families").glob("*.yaml"))
        if (documents := manifests(f"families/{path.stem}"))
    },
    **{
        f"rollout {path.stem}": (document["metadata"]["name"], _with_workload(document))
        for path in sorted((DATA / "rollouts").glob("*.yaml"))
        if (document := manifest(f"rollouts/{path.stem}"))
    },
}
# What might come on top, at any moment.
CHANGES: dict[str, dict[str, Any]] = {
    "as it is": {},
    "paused by hand": {"spec": {"paused": True}},
    "aborted": {"status": {"abort": True}},
    "a full promotion": {"status": {"promoteFull": True}},
    "both": {"status": {"promoteFull": True, "abort": True}},
    "not observed": {"metadata": {"generation": 99}},
    "a pause just ended": {"status": {"pauseConditions": None, "controllerPause": True}},
    "the first revision": {"status": {"stableRS": None}},
    "an invalid spec": {"status": {"conditions": [{"type": "InvalidSpec", "status": "True"}]}},
    "deleted": {"metadata": {"deletionTimestamp": "2026-05-12T09:00:00Z"}},
    "unreadable": {"spec": {"replicas": "many"}},
}
# The verbs whose action says nothing but itself: their refusals are the same word for word.
ALONE: dict[Verb, Action] = {
    action.verb: action
    for action in (
        Promote(),
        PromoteFull(),
        SkipStep(),
        Abort(),
        Retry(),
        Pause(),
        Resume(),
    )
}


def changed(moment: str, change: dict[str, Any]) -> tuple[str, list[Document]]:
    """The rollout's name and all objects of a moment, the rollout with a change."""
    name, documents = MOMENTS[moment]
    return name, [
        merged(item, change)
        if (item["kind"], item["metadata"]["name"]) == ("Rollout", name)
        else item
        for item in copy.deepcopy(list(documents))
    ]


def actions(documents: Sequence[Document]) -> dict[Verb, list[Action]]:
    """For each verb what one could ask for here."""
    every: list[Action] = [
        *ALONE.values(),
        *(JumpToStep(index) for index in range(8)),
        Restart(NOW + timedelta(days=1)),
        Undo(),
        *(Undo(revision) for revision in range(1, 6)),
        SetImage("*", "registry.example/never/seen:1"),
    ]
    for item in documents:
        if item["kind"] == "AnalysisRun":
            every.append(TerminateAnalysisRun(item["metadata"]["name"]))
        elif item["kind"] == "Experiment":
            every.append(TerminateExperiment(item["metadata"]["name"]))
    found: dict[Verb, list[Action]] = {}
    for action in every:
        found.setdefault(action.verb, []).append(action)
    return found
