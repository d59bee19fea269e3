"""A filter lets pass what it describes, and one that makes no sense says what is wrong."""

from datetime import datetime, timedelta

import pytest

from factories import NOON, rollout_view
from rollgraph.core.errors import BadFilterError
from rollgraph.core.filtering import (
    MAX_NESTING,
    RolloutFilter,
    StringFilter,
    TimeFilter,
    only_cluster,
    predicate,
    string_predicate,
)
from rollgraph.core.pauses import PauseReason
from rollgraph.core.phase import Phase
from rollgraph.core.view import StrategyKind

CHECKOUT = rollout_view(
    "prod-eu/shop/checkout",
    phase=Phase.PAUSED,
    strategy=StrategyKind.CANARY,
    images=("ghcr.io/acme/checkout:1.4.2", "docker.io/envoyproxy/envoy:v1.31"),
    labels={"app": "checkout", "tier": "web"},
    pauses=("CanaryPauseStep", "ReasonOfALaterVersion"),
)
DEGRADED = RolloutFilter(phase=(Phase.DEGRADED,))
PAUSED = RolloutFilter(phase=(Phase.PAUSED,))
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    "filter",
    [
        None,
        RolloutFilter(),
        RolloutFilter(cluster=StringFilter(eq="prod-eu")),
        RolloutFilter(namespace=StringFilter(in_=("pay", "shop"))),
        RolloutFilter(name=StringFilter(starts_with="check", contains="out", matches="c*t")),
        RolloutFilter(name=StringFilter()),
        RolloutFilter(phase=(Phase.DEGRADED, Phase.PAUSED)),
        RolloutFilter(strategy=(StrategyKind.CANARY,)),
        RolloutFilter(image=StringFilter(matches="docker.io/*/envoy:*")),
        RolloutFilter(label_selector="app=checkout,!legacy"),
        RolloutFilter(label_selector=""),
        RolloutFilter(aborted=False),
        RolloutFilter(pause_reason=(PauseReason.CANARY_PAUSE_STEP,)),
        RolloutFilter(pause_reason=(PauseReason.UNKNOWN,)),
        RolloutFilter(updated_at=TimeFilter(after=NOON - SECOND, before=NOON + SECOND)),
        RolloutFilter(and_=(PAUSED, RolloutFilter(aborted=False))),
        RolloutFilter(and_=()),
        RolloutFilter(or_=(DEGRADED, PAUSED)),
        RolloutFilter(or_=(DEGRADED, DEGRADED, PAUSED)),
        RolloutFilter(not_=DEGRADED),
        RolloutFilter(not_=RolloutFilter(or_=())),
    ],
)
def test_a_filter_lets_pass_what_it_describes(filter: RolloutFilter | None) -> None:
    assert predicate(filter)(CHECKOUT) is True


@pytest.mark.parametrize(
    "filter",
    [
        RolloutFilter(cluster=StringFilter(eq="prod")),
        RolloutFilter(namespace=StringFilter(in_=())),
        RolloutFilter(name=StringFilter(starts_with="check", contains="in")),
        RolloutFilter(name=StringFilter(eq="Checkout")),
        RolloutFilter(phase=()),
        DEGRADED,
        RolloutFilter(strategy=(StrategyKind.BLUE_GREEN,)),
        # One image must satisfy both; here each satisfies one.
        RolloutFilter(image=StringFilter(starts_with="ghcr.io", contains="envoy")),
        RolloutFilter(label_selector="app=checkout,tier!=web"),
        RolloutFilter(aborted=True),
        RolloutFilter(pause_reason=(PauseReason.BLUE_GREEN_PAUSE,)),
        RolloutFilter(pause_reason=()),
        RolloutFilter(updated_at=TimeFilter(after=NOON)),
        RolloutFilter(updated_at=TimeFilter(before=NOON)),
        RolloutFilter(and_=(PAUSED, DEGRADED)),
        RolloutFilter(and_=(PAUSED, PAUSED, DEGRADED)),
        RolloutFilter(or_=()),
        RolloutFilter(not_=PAUSED),
        RolloutFilter(phase=(Phase.PAUSED,), name=StringFilter(eq="cart"), aborted=False),
    ],
)
def test_a_filter_stops_what_it_does_not_describe(filter: RolloutFilter) -> None:
    assert predicate(filter)(CHECKOUT) is False


def test_what_a_rollout_does_not_have_passes_no_condition_on_it() -> None:
    bare = rollout_view(strategy=None, images=())
    assert not predicate(RolloutFilter(strategy=tuple(StrategyKind)))(bare)
    assert not predicate(RolloutFilter(image=StringFilter(matches="*")))(bare)
    assert not predicate(RolloutFilter(pause_reason=tuple(PauseReason)))(bare)
    assert not predicate(RolloutFilter(label_selector="app"))(bare)
    assert predicate(RolloutFilter(label_selector="!app"))(bare)


def test_a_filter_is_compiled_once() -> None:
    def asked() -> RolloutFilter:
        return RolloutFilter(and_=(PAUSED,), name=StringFilter(matches="check*"))

    assert predicate(asked()) is predicate(asked())


def test_a_condition_on_a_text_stands_alone_too() -> None:
    assert string_predicate(StringFilter(matches="prod-*"))("prod-eu")
    with pytest.raises(BadFilterError, match="column 6"):
        string_predicate(StringFilter(matches="prod-["))


def test_the_one_cluster_of_a_filter_is_known() -> None:
    on_eu = RolloutFilter(cluster=StringFilter(eq="prod-eu"))
    assert only_cluster(on_eu) == "prod-eu"
    assert only_cluster(RolloutFilter(and_=(DEGRADED, on_eu))) == "prod-eu"
    for wider in (
        None,
        DEGRADED,
        RolloutFilter(or_=(on_eu,)),
        RolloutFilter(not_=on_eu),
        RolloutFilter(cluster=StringFilter(starts_with="prod-eu")),
    ):
        assert only_cluster(wider) is None


def nested(levels: int) -> RolloutFilter:
    filter = DEGRADED
    for _ in range(levels - 1):
        filter = RolloutFilter(not_=filter)
    return filter


@pytest.mark.parametrize(
    ("filter", "problem"),
    [
        (RolloutFilter(label_selector="app in"), r"^label selector, column 7: it ends where '\('"),
        (RolloutFilter(not_=RolloutFilter(image=StringFilter(matches="[a"))), "^glob '\\[a', col"),
        (
            RolloutFilter(updated_at=TimeFilter(after=datetime(2026, 3, 4))),  # noqa: DTZ001
            r"^the time 2026-03-04T00:00:00 has no time zone; append Z for UTC$",
        ),
        (nested(MAX_NESTING + 1), "more than 10 levels deep"),
        (nested(2000), "more than 10 levels deep"),
        (RolloutFilter(or_=(DEGRADED,) * 100), "more than 100 parts"),
        (
            RolloutFilter(name=StringFilter(in_=("web",) * 1001)),
            "a list of 1001 values; at most 1000 are allowed",
        ),
        (
            RolloutFilter(and_=(RolloutFilter(name=StringFilter(matches="*")),) * 9),
            "more than 8 globs",
        ),
    ],
)
def test_a_filter_that_makes_no_sense_is_refused(filter: RolloutFilter, problem: str) -> None:
    with pytest.raises(BadFilterError, match=problem):
        predicate(filter)


def test_the_largest_filters_are_understood() -> None:
    assert predicate(nested(MAX_NESTING))(CHECKOUT) is True
    assert predicate(RolloutFilter(or_=(DEGRADED,) * 98 + (PAUSED,)))(CHECKOUT) is True
