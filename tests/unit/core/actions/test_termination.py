"""Analyses and experiments ended, those of a rollout that has some at work."""

import pytest

from planned import NOW, Document, live
from rollgraph.core.actions.action import TerminateAnalysisRun, TerminateExperiment
from rollgraph.core.actions.plan import Plan, Reason, Refusal, Resource
from rollgraph.core.actions.planning import plan
from rollgraph.core.refs import ObjectKey
from samples import manifests, merged

FAMILY = manifests("families/canary-at-20-percent")
Termination = TerminateAnalysisRun | TerminateExperiment


def named(kind: str, name: str) -> Document:
    (found,) = (i for i in FAMILY if (i["kind"], i["metadata"]["name"]) == (kind, name))
    return found


def asked(action: Termination, change: Document | None = None) -> Plan | Refusal:
    """With the object that is to be ended changed."""
    documents = [
        merged(item, change or {}) if item["metadata"]["name"] == action.name else item
        for item in FAMILY
    ]
    return plan(action, live(action, documents), NOW)


STEP = TerminateAnalysisRun("checkout-7f4c5d9b8d-5-1")
OF_EXPERIMENT = TerminateAnalysisRun("checkout-7f4c5d9b8d-5-2-quality")
EXPERIMENT = TerminateExperiment("checkout-7f4c5d9b8d-5-2")
EACH = [STEP, OF_EXPERIMENT, EXPERIMENT]


@pytest.mark.parametrize(
    ("action", "resource", "message"),
    [
        (STEP, Resource.ANALYSIS_RUN, "ends the analysis run checkout-7f4c5d9b8d-5-1"),
        (OF_EXPERIMENT, Resource.ANALYSIS_RUN, f"ends the analysis run {OF_EXPERIMENT.name}"),
        (EXPERIMENT, Resource.EXPERIMENT, "ends the experiment checkout-7f4c5d9b8d-5-2"),
    ],
)
def test_what_runs_is_asked_to_end(action: Termination, resource: Resource, message: str) -> None:
    answer = asked(action)

    assert isinstance(answer, Plan)
    (patch,) = answer.patches
    assert (patch.resource, patch.key) == (resource, ObjectKey("shop", action.name))
    assert (patch.subresource, patch.body) == ("", {"spec": {"terminate": True}})
    assert answer.message == message


@pytest.mark.parametrize("action", EACH)
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"status": {"phase": "Successful"}}, "has ended already: Successful"),
        ({"status": {"phase": "Inconclusive"}}, "has ended already: Inconclusive"),
        ({"spec": {"terminate": True}}, "is about to end already"),
        ({"metadata": {"deletionTimestamp": "2026-05-12T09:00:00Z"}}, "is about to end already"),
    ],
)
def test_what_has_ended_or_is_about_to_is_left_alone(
    action: Termination, change: Document, words: str
) -> None:
    assert asked(action, change) == Plan((), f"{action.name} {words}")


@pytest.mark.parametrize("action", EACH)
def test_what_belongs_to_another_rollout_seems_not_to_be_there(action: Termination) -> None:
    stranger = {"metadata": {"ownerReferences": [{"kind": "Rollout", "uid": "ro-search"}]}}

    foreign, missing = asked(action, stranger), asked(type(action)("nothing"))

    assert isinstance(foreign, Refusal)
    assert isinstance(missing, Refusal)
    assert foreign.reason is missing.reason is Reason.NOT_FOUND
    assert foreign.message == missing.message.replace("nothing", action.name)


def test_an_experiment_does_not_lend_its_name_to_a_run() -> None:
    """Whoever can make an Experiment must not reach the runs of another rollout by it."""
    stranger = {"metadata": {"ownerReferences": [{"kind": "Rollout", "uid": "ro-search"}]}}
    documents = [
        merged(item, stranger) if item is named("Experiment", EXPERIMENT.name) else item
        for item in FAMILY
    ]

    answer = plan(OF_EXPERIMENT, live(OF_EXPERIMENT, documents), NOW)

    assert isinstance(answer, Refusal)
