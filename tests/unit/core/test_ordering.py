"""The order of the keys is the order of the values."""

from datetime import UTC, datetime, timedelta
from functools import cmp_to_key

import msgspec
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from factories import NOON, rollout_view
from rollgraph.core.ordering import TIE_BREAK, by_cluster, canonical, cluster_range, key, place
from rollgraph.core.paging import Order, OrderField
from rollgraph.core.phase import Phase
from rollgraph.core.refs import RolloutRef
from rollgraph.core.view import RolloutView

# Few and awkward: prefixes of each other, the lowest and highest characters, half a surrogate pair.
TEXTS = st.text(alphabet="ab\0\1\x7fé\ud800\uffff😀", max_size=3)
TIMES = st.one_of(
    st.datetimes(timezones=st.just(UTC)),
    st.integers(-3, 3).map(lambda micros: NOON + timedelta(microseconds=micros)),
)
# By urgency, as a person would look at them.
RANK = [Phase.DEGRADED, Phase.PAUSED, Phase.PROGRESSING, Phase.UNKNOWN, Phase.HEALTHY]


@st.composite
def views(draw: st.DrawFn) -> RolloutView:
    view = rollout_view(
        phase=draw(st.sampled_from(Phase)),
        percent=draw(st.integers(0, 100)),
        created_at=draw(TIMES),
        updated_at=draw(TIMES),
    )
    ref = RolloutRef(draw(TEXTS), draw(TEXTS), draw(TEXTS))
    return msgspec.structs.replace(view, ref=ref)


ORDERS = st.lists(st.builds(Order, st.sampled_from(OrderField), st.booleans()), max_size=4)


def value(view: RolloutView, field: OrderField) -> str | int | datetime:
    match field:
        case OrderField.CLUSTER:
            return view.ref.cluster
        case OrderField.NAMESPACE:
            return view.ref.namespace
        case OrderField.NAME:
            return view.ref.name
        case OrderField.PHASE:
            return RANK.index(view.phase)
        case OrderField.UPDATED_AT:
            return view.updated_at
        case OrderField.CREATED_AT:
            return view.created_at
        case OrderField.PROGRESS:
            return view.progress.percent


def compared(one: RolloutView, other: RolloutView, order: list[Order]) -> int:
    for part in (*order, *TIE_BREAK):
        a, b = value(one, part.field), value(other, part.field)
        if a != b:
            return (1 if a > b else -1) * (-1 if part.descending else 1)  # type: ignore[operator]
    return 0


def key_of(view: RolloutView, order: list[Order]) -> bytes:
    return key(order)(view, place(view.ref))


@given(one=views(), other=views(), order=ORDERS)
def test_keys_compare_as_the_values_do(
    one: RolloutView, other: RolloutView, order: list[Order]
) -> None:
    a, b = key_of(one, order), key_of(other, order)
    assert (a > b) - (a < b) == compared(one, other, order)


@given(fleet=st.lists(views(), max_size=8), order=ORDERS)
def test_sorting_by_key_is_sorting_by_value(fleet: list[RolloutView], order: list[Order]) -> None:
    def compare(one: RolloutView, other: RolloutView) -> int:
        return compared(one, other, order)

    by_value = sorted(fleet, key=cmp_to_key(compare))
    by_key = sorted(fleet, key=lambda view: key_of(view, order))
    assert [view.ref for view in by_key] == [view.ref for view in by_value]


@given(view=views(), order=ORDERS)
def test_an_order_and_its_canonical_form_are_the_same(
    view: RolloutView, order: list[Order]
) -> None:
    full = canonical(order)
    assert key_of(view, list(full)) == key_of(view, order)
    assert canonical(full) == full


@given(view=views(), cluster=TEXTS, descending=st.booleans(), order=ORDERS)
@example(rollout_view(phase=Phase.DEGRADED, percent=0), "prod-eu", True, [])
def test_a_clusters_rollouts_lie_in_its_range(
    view: RolloutView, cluster: str, descending: bool, order: list[Order]
) -> None:
    full = by_cluster((Order(OrderField.CLUSTER, descending), *order))
    start, stop = cluster_range(full, cluster)
    inside = start <= key_of(view, list(full)) < stop
    assert inside == (view.ref.cluster == cluster)


def test_a_range_takes_in_the_most_extreme_key() -> None:
    fields = (OrderField.CLUSTER, OrderField.PHASE, OrderField.PROGRESS)
    order = [Order(field, descending=True) for field in fields]
    start, stop = cluster_range(tuple(order), "prod-eu")
    view = rollout_view(phase=Phase.DEGRADED, percent=0)
    assert start <= key_of(view, order) < stop


@given(one=views(), other=views(), order=ORDERS)
def test_an_order_by_cluster_is_the_same_within_each(
    one: RolloutView, other: RolloutView, order: list[Order]
) -> None:
    other = msgspec.structs.replace(
        other, ref=msgspec.structs.replace(other.ref, cluster=one.ref.cluster)
    )
    assume(one.ref != other.ref)  # no two rollouts have one place
    full = list(by_cluster(tuple(order)))
    assert compared(one, other, full) == compared(one, other, order)


def test_a_repeated_field_and_what_follows_a_settled_place_change_nothing() -> None:
    name, namespace, cluster = (
        Order(OrderField.NAME, descending=True),
        Order(OrderField.NAMESPACE),
        Order(OrderField.CLUSTER),
    )
    assert canonical([]) == TIE_BREAK
    assert canonical([name, Order(OrderField.NAME)]) == (name, cluster, namespace)
    assert canonical([name, namespace, cluster, Order(OrderField.PHASE)]) == (
        name,
        namespace,
        cluster,
    )


@pytest.mark.parametrize("percent", [-7, 256, 10**6])
def test_an_impossible_progress_has_a_place_all_the_same(percent: int) -> None:
    assert key_of(rollout_view(percent=percent), [Order(OrderField.PROGRESS)])
