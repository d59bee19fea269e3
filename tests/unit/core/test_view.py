"""The view of a rollout: everything of it, derived once."""

from datetime import UTC, datetime

import msgspec
import pytest

from rollgraph.core.belongings import Belongings
from rollgraph.core.pauses import PauseReason
from rollgraph.core.phase import Phase
from rollgraph.core.refs import RolloutRef
from rollgraph.core.replicasets import ContainerImage
from rollgraph.core.view import RolloutView, StrategyKind, build_view
from samples import Patch, family, rollout

FAMILIES = ["canary-at-20-percent", "blue-green-preview"]


def _view(name: str, patch: Patch | None = None) -> RolloutView:
    return build_view("east", rollout(name, patch), Belongings())


def test_a_view_names_its_rollout_within_the_fleet() -> None:
    assert _view("canary-healthy").ref == RolloutRef("east", "shop", "checkout")


@pytest.mark.parametrize("name", FAMILIES)
def test_a_view_survives_json(name: str) -> None:
    view = build_view("east", *family(name))
    assert msgspec.json.decode(msgspec.json.encode(view), type=RolloutView) == view


@pytest.mark.parametrize("name", FAMILIES)
def test_the_order_of_belongings_does_not_matter(name: str) -> None:
    root, own = family(name)
    backwards = Belongings(
        replica_sets=own.replica_sets[::-1],
        pods=own.pods[::-1],
        analysis_runs=own.analysis_runs[::-1],
        experiments=own.experiments[::-1],
        workload=own.workload,
    )
    assert build_view("east", root, backwards) == build_view("east", root, own)


def test_belongings_of_others_are_left_out() -> None:
    view = build_view("east", *family("canary-at-20-percent"))
    assert [v.replica_set.metadata.uid for v in view.replica_sets] == [
        "rs-canary",
        "rs-stable",
        "rs-old",
    ]
    assert [v.run.metadata.uid for v in view.analysis_runs] == ["ar-background", "ar-step"]


@pytest.mark.parametrize(
    ("strategy", "kind"),
    [
        ({"canary": {}}, StrategyKind.CANARY),
        ({"canary": None, "blueGreen": {}}, StrategyKind.BLUE_GREEN),
        ({"canary": None, "rainbow": {}}, None),
    ],
    ids=["canary", "blue-green", "of-a-later-version"],
)
def test_the_strategy_is_the_one_that_the_spec_names(
    strategy: Patch, kind: StrategyKind | None
) -> None:
    assert _view("canary-healthy", {"spec": {"strategy": strategy}}).strategy is kind


def test_images_are_those_of_the_template() -> None:
    assert _view("canary-healthy").images == (
        ContainerImage("web", "registry.example/shop/checkout:1.8.0"),
        ContainerImage("proxy", "registry.example/infra/proxy:3"),
        ContainerImage("migrate", "registry.example/shop/migrate:12", init=True),
    )


def test_images_are_those_of_the_workload_where_there_is_one() -> None:
    images = build_view("east", *family("blue-green-preview")).images
    assert images == (ContainerImage("app", "registry.example/bank/ledger:7"),)


def test_a_workload_that_we_do_not_see_has_no_images() -> None:
    assert _view("workload-ref").images == ()


@pytest.mark.parametrize(
    ("fields", "updated_at"),
    [
        pytest.param(
            [{"time": "2026-05-11T10:00:00Z"}, {"time": "2026-05-11T09:00:00Z"}, {"time": None}],
            datetime(2026, 5, 11, 10, tzinfo=UTC),
            id="the-latest-writer",
        ),
        pytest.param(
            [{"time": "2026-05-11T10:00:00Z"}, {"time": "2026-05-11T11:00:00+02:00"}],
            datetime(2026, 5, 11, 10, tzinfo=UTC),
            id="across-zones",
        ),
        pytest.param([{"time": None}], datetime(2026, 3, 2, 8, tzinfo=UTC), id="undated"),
        pytest.param(None, datetime(2026, 3, 2, 8, tzinfo=UTC), id="nobody-wrote"),
    ],
)
def test_updated_at_is_the_latest_write_or_else_the_creation(
    fields: list[Patch] | None, updated_at: datetime
) -> None:
    view = _view("canary-healthy", {"metadata": {"managedFields": fields}})
    assert view.updated_at == updated_at
    assert view.created_at == datetime(2026, 3, 2, 8, tzinfo=UTC)


def test_pause_reasons_are_all_that_hold_the_rollout() -> None:
    held = {"pauseConditions": [{"reason": "CanaryPauseStep"}, {"reason": "MoonPhase"}]}
    view = _view("canary-paused-at-step-3", {"status": held})
    assert view.pause_reasons == (PauseReason.CANARY_PAUSE_STEP, PauseReason.UNKNOWN)
    assert _view("canary-healthy").pause_reasons == ()


def test_an_unreadable_rollout_is_a_view_that_says_so() -> None:
    view = _view("canary-healthy", {"spec": {"replicas": "five"}})
    assert view.phase is Phase.UNKNOWN
    assert view.message.startswith("Rollgraph cannot read this rollout: ")
    assert (view.strategy, view.steps, view.weights, view.progress.waiting) == (
        None,
        (),
        None,
        None,
    )
    assert view.updated_at == datetime(2026, 5, 11, 10, 2, 17, tzinfo=UTC)
