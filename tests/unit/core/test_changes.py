"""What happened between two views: in lives recorded on real control planes, and in particular."""

from itertools import pairwise

import msgspec
import pytest

from factories import rollout_view
from lives import lives
from rollgraph.core.analysis import AnalysisPhase
from rollgraph.core.belongings import Belongings
from rollgraph.core.changes import (
    Added,
    AnalysisRunChanged,
    Deleted,
    PhaseChanged,
    PodsChanged,
    StepChanged,
    Updated,
    WeightChanged,
    changes,
    is_transition,
)
from rollgraph.core.objects.analysis import AnalysisRun
from rollgraph.core.objects.meta import Meta, OwnerReference
from rollgraph.core.phase import Phase
from rollgraph.core.view import RolloutView, build_view
from samples import analysis_run, family, pod

LIVES = lives()
PAIRS = [pair for life in LIVES.values() for pair in pairwise(life)]


@pytest.mark.parametrize("name", LIVES)
def test_a_reader_who_follows_a_life_ends_where_it_ends(name: str) -> None:
    first, *rest = LIVES[name]
    phase, step, weights = first.phase, first.step_index, first.weights
    for before, after in pairwise([first, *rest]):
        told = changes(before, after)
        assert bool(told) is (before != after)
        for change in told:
            match change:
                case PhaseChanged():
                    assert change.before is phase
                    phase = change.after
                case StepChanged():
                    assert change.before == step
                    assert change.step == after.current_step
                    step = change.after
                case WeightChanged():
                    assert change.before == weights
                    weights = change.after
                case _:
                    pass
        assert (phase, step, weights) == (after.phase, after.step_index, after.weights)


@pytest.mark.parametrize("name", LIVES)
def test_nothing_has_happened_where_nothing_differs(name: str) -> None:
    for view in LIVES[name]:
        assert changes(view, view) == ()
        assert not is_transition(view, view)


def test_every_change_of_phase_or_step_is_a_transition() -> None:
    seen = 0
    for before, after in PAIRS:
        if any(isinstance(item, PhaseChanged | StepChanged) for item in changes(before, after)):
            assert is_transition(before, after)
            seen += 1
    assert seen > 20


def test_a_rollout_comes_and_goes() -> None:
    view = rollout_view()
    assert changes(None, view) == (Added(),)
    assert changes(view, None) == (Deleted(),)
    assert changes(None, None) == ()
    assert is_transition(None, view)
    assert is_transition(view, None)


def test_a_rollout_made_again_under_its_name_is_another() -> None:
    before = rollout_view(phase=Phase.DEGRADED)
    after = msgspec.structs.replace(
        before,
        rollout=msgspec.structs.replace(before.rollout, metadata=Meta("checkout", uid="other")),
    )
    assert changes(before, after) == (Deleted(), Added())
    assert is_transition(before, after)


def test_what_has_no_kind_of_its_own_is_named() -> None:
    before = rollout_view(images=["shop:1"])
    after = rollout_view(images=["shop:2"])
    assert changes(before, after) == (Updated(("images",)),)
    assert not is_transition(before, after)


def test_pods_are_told_by_how_they_fare() -> None:
    rollout, own = family("canary-at-20-percent")
    before = build_view("east", rollout, own)
    crashing = [
        msgspec.structs.replace(pod("crashloop"), metadata=item.metadata) if number == 0 else item
        for number, item in enumerate(own.pods)
    ]
    after = build_view("east", rollout, msgspec.structs.replace(own, pods=crashing))
    (change,) = changes(before, after)
    assert isinstance(change, PodsChanged)
    assert [item.reason for item in change.pods] == ["CrashLoopBackOff"]
    gone = build_view("east", rollout, msgspec.structs.replace(own, pods=own.pods[1:]))
    assert changes(before, gone) == (PodsChanged(gone=(own.pods[0].metadata.name,)),)


def test_a_run_tells_only_what_it_has_newly_measured() -> None:
    rollout, _ = family("canary-at-20-percent")

    def with_run(run: AnalysisRun) -> RolloutView:
        owner = OwnerReference(kind="Rollout", uid=rollout.metadata.uid)
        owned = msgspec.structs.replace(run.metadata, owner_references=[owner])
        mine = msgspec.structs.replace(run, metadata=owned)
        return build_view("east", rollout, Belongings(analysis_runs=[mine]))

    whole = analysis_run("measured-by-interval")
    assert whole.status.metric_results is not None
    (result,) = whole.status.metric_results
    assert result.measurements is not None
    *earlier, latest = result.measurements
    fewer = msgspec.structs.replace(
        whole,
        status=msgspec.structs.replace(
            whole.status,
            metric_results=[msgspec.structs.replace(result, measurements=earlier)],
        ),
    )
    (change,) = changes(with_run(fewer), with_run(whole))
    assert isinstance(change, AnalysisRunChanged)
    assert change.measurements == (latest,)
    assert change.run.phase is not AnalysisPhase.UNKNOWN
