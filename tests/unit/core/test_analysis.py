"""AnalysisRuns and Experiments: why each runs, its counts, its Jobs, and their order."""

from datetime import UTC, datetime

import pytest

from rollgraph.core.analysis import (
    AnalysisPhase,
    AnalysisRunKind,
    AnalysisRunView,
    Counts,
    JobView,
    analysis_run_views,
    experiment_views,
)
from rollgraph.core.objects.analysis import AnalysisRun, Experiment
from samples import Patch, analysis_run, experiment, family

CHECKOUT = "5b0c7a52-7f7e-4d0e-9d5c-2a8b6f0c1d11"


def _view(patch: Patch | None = None) -> AnalysisRunView:
    (view,) = analysis_run_views(CHECKOUT, [analysis_run("measured-by-interval", patch)])
    return view


@pytest.mark.parametrize(
    ("label", "kind"),
    [
        ("Step", AnalysisRunKind.STEP),
        ("Background", AnalysisRunKind.BACKGROUND),
        ("PrePromotion", AnalysisRunKind.PRE_PROMOTION),
        ("PostPromotion", AnalysisRunKind.POST_PROMOTION),
        ("Later", AnalysisRunKind.STANDALONE),
        (None, AnalysisRunKind.STANDALONE),
    ],
)
def test_the_rollout_type_label_says_why_a_run_exists(
    label: str | None, kind: AnalysisRunKind
) -> None:
    assert _view({"metadata": {"labels": {"rollout-type": label}}}).kind is kind


def test_a_run_of_an_experiment_has_no_label_of_its_own() -> None:
    _, own = family("canary-at-20-percent")
    (view,) = analysis_run_views("ex-1", own.analysis_runs, AnalysisRunKind.EXPERIMENT)
    assert view.kind is AnalysisRunKind.EXPERIMENT


@pytest.mark.parametrize(
    ("label", "index"),
    [("0", 0), ("12", 12), (None, None), ("", None), ("two", None), ("9" * 60, None)],
    ids=["zero", "twelve", "absent", "empty", "text", "beyond-64-bits"],
)
def test_the_step_index_label_is_a_number_or_nothing(label: str | None, index: int | None) -> None:
    assert _view({"metadata": {"labels": {"step-index": label}}}).step_index == index


@pytest.mark.parametrize(
    ("text", "phase"),
    [
        ("Pending", AnalysisPhase.PENDING),
        ("Running", AnalysisPhase.RUNNING),
        ("Successful", AnalysisPhase.SUCCESSFUL),
        ("Failed", AnalysisPhase.FAILED),
        ("Error", AnalysisPhase.ERROR),
        ("Inconclusive", AnalysisPhase.INCONCLUSIVE),
        ("", AnalysisPhase.UNKNOWN),
        ("Dreaming", AnalysisPhase.UNKNOWN),
    ],
)
def test_a_run_has_the_phase_that_it_says(text: str, phase: AnalysisPhase) -> None:
    assert _view({"status": {"phase": text}}).phase is phase


def test_counts_add_up_over_all_metrics_dry_runs_included() -> None:
    results = [
        {"name": "a", "successful": 3, "failed": 1, "error": 2},
        {"name": "b", "dryRun": True, "successful": 4, "inconclusive": 5},
    ]
    assert _view({"status": {"metricResults": results}}).counts == Counts(7, 1, 5, 2)
    assert _view({"status": {"metricResults": None}}).counts == Counts()


def test_a_job_is_known_from_its_measurement() -> None:
    measurements = [
        {
            "phase": "Successful",
            "startedAt": "2026-05-12T09:10:00Z",
            "metadata": {"job-name": "smoke-1", "job-namespace": "jobs"},
        },
        {"phase": "Running", "metadata": {"job-name": "smoke-2"}},
        {"phase": "Running", "metadata": {"query": "up"}},
        {"phase": "Running"},
    ]
    results = [{"name": "smoke", "measurements": measurements}, {"name": "idle"}]
    at = datetime(2026, 5, 12, 9, 10, tzinfo=UTC)
    assert _view({"status": {"metricResults": results}}).jobs == (
        JobView("smoke-1", "jobs", "smoke", AnalysisPhase.SUCCESSFUL, at),
        JobView("smoke-2", "shop", "smoke", AnalysisPhase.RUNNING),
    )


def _meta(name: str, revision: str, minute: int) -> Patch:
    return {
        "metadata": {
            "name": name,
            "annotations": {"rollout.argoproj.io/revision": revision},
            "creationTimestamp": f"2026-05-12T09:{minute:02}:00Z",
        }
    }


def test_runs_are_newest_revision_first_then_oldest_then_names_backwards_as_the_plugin_has_it() -> (
    None
):
    orders = [("a", "4", 0), ("c", "5", 30), ("a", "5", 10), ("b", "5", 10), ("z", "", 0)]
    runs: list[AnalysisRun] = [
        analysis_run("measured-by-interval", _meta(*order)) for order in orders
    ]
    for candidates in (runs, runs[::-1]):
        views = analysis_run_views(CHECKOUT, candidates)
        names = [(view.revision, view.run.metadata.name) for view in views]
        assert names == [(5, "b"), (5, "a"), (5, "c"), (4, "a"), (0, "z")]


def test_experiments_are_newest_revision_first_then_oldest_then_by_name() -> None:
    orders = [("a", "4", 0), ("c", "5", 30), ("b", "5", 10), ("a", "5", 10)]
    experiments: list[Experiment] = [experiment("running", _meta(*order)) for order in orders]
    for candidates in (experiments, experiments[::-1]):
        views = experiment_views(CHECKOUT, candidates, (), (), ())
        names = [(view.revision, view.experiment.metadata.name) for view in views]
        assert names == [(5, "a"), (5, "b"), (5, "c"), (4, "a")]


def test_runs_and_experiments_of_other_owners_are_left_out() -> None:
    assert analysis_run_views("other", [analysis_run("measured-by-interval")]) == ()
    assert experiment_views("other", [experiment("running")], (), (), ()) == ()


def test_an_experiment_comes_with_its_replica_sets_pods_and_runs() -> None:
    _, own = family("canary-at-20-percent")
    (view,) = experiment_views(
        "ro-checkout", own.experiments, own.replica_sets, own.pods, own.analysis_runs
    )
    assert (view.phase, view.revision) == (AnalysisPhase.RUNNING, 5)
    assert [item.replica_set.metadata.uid for item in view.replica_sets] == ["rs-candidate"]
    assert [item.run.metadata.uid for item in view.analysis_runs] == ["ar-experiment"]
    assert view.analysis_runs[0].kind is AnalysisRunKind.EXPERIMENT
