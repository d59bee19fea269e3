"""What every `Mirror` with its `Projection` does, whatever keeps it."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

import pytest

from contract.mirrors import FACTORIES, Fleet, FleetFactory, HandClock
from factories import NOON, rollout_view
from rollgraph.core.connection import ClusterView, ConnectionStatus
from rollgraph.core.errors import BadCursorError, BadFilterError, BadRequestError
from rollgraph.core.filtering import RolloutFilter, StringFilter
from rollgraph.core.paging import Order, OrderField, Page, PageRequest
from rollgraph.core.phase import Phase
from rollgraph.core.refs import RolloutRef
from rollgraph.core.view import RolloutView

BY_URGENCY = (Order(OrderField.PHASE),)
NEWEST_FIRST = (Order(OrderField.UPDATED_AT, descending=True),)
DEGRADED = RolloutFilter(phase=(Phase.DEGRADED,))


@pytest.fixture(params=FACTORIES)
def new_fleet(request: pytest.FixtureRequest) -> FleetFactory:
    return FACTORIES[request.param]


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def fleet(new_fleet: FleetFactory, clock: HandClock) -> Fleet:
    return new_fleet(clock)


def cluster_view(name: str) -> ClusterView:
    return ClusterView(name, ConnectionStatus.CONNECTED, NOON)


def fill(fleet: Fleet, *refs: str) -> None:
    for ref in refs:
        fleet.put_rollout(rollout_view(ref))


def names(views: Sequence[RolloutView]) -> list[str]:
    return [str(view.ref) for view in views]


def ends(page: Page) -> tuple[tuple[str, ...], bool, bool]:
    """The names on a page, whether more follows, whether more precedes."""
    return tuple(names(page.rollouts)), page.has_next, page.has_previous


def pages(fleet: Fleet, request: PageRequest) -> Iterator[Page]:
    """The pages of a forward walk; what a test does between two pages happens between them."""
    after = request.after
    while True:
        page = fleet.page(
            PageRequest(request.filter, request.order, first=request.first, after=after)
        )
        yield page
        if not page.has_next:
            return
        after = page.cursors[-1]


class TestWritesAreSeenAtOnce:
    def test_a_rollout_that_was_put_is_found(self, fleet: Fleet) -> None:
        view = rollout_view("prod-eu/shop/cart")
        fleet.put_rollout(view)
        assert fleet.rollout(RolloutRef("prod-eu", "shop", "cart")) is view

    def test_the_latest_view_replaces_the_one_before(self, fleet: Fleet) -> None:
        fleet.put_rollout(rollout_view("prod-eu/shop/cart"))
        latest = rollout_view("prod-eu/shop/cart", phase=Phase.DEGRADED)
        fleet.put_rollout(latest)
        assert fleet.rollout(latest.ref) is latest
        assert fleet.page(PageRequest(first=5)).rollouts == (latest,)

    def test_a_dropped_rollout_is_gone(self, fleet: Fleet) -> None:
        fill(fleet, "prod-eu/shop/cart", "prod-eu/shop/search")
        fleet.drop_rollout(RolloutRef("prod-eu", "shop", "cart"))
        assert fleet.rollout(RolloutRef("prod-eu", "shop", "cart")) is None
        assert names(fleet.page(PageRequest(first=5)).rollouts) == ["prod-eu/shop/search"]

    def test_dropping_what_is_not_known_does_nothing(self, fleet: Fleet) -> None:
        fill(fleet, "prod-eu/shop/cart")
        fleet.drop_rollout(RolloutRef("prod-eu", "shop", "other"))
        fleet.drop_rollout(RolloutRef("prod-us", "shop", "cart"))
        fleet.drop_cluster("prod-us")
        assert fleet.count(PageRequest()) == 1

    def test_clusters_come_by_name(self, fleet: Fleet) -> None:
        for name in ("prod-us", "edge-1", "prod-eu"):
            fleet.put_cluster(cluster_view(name))
        assert [cluster.name for cluster in fleet.clusters()] == ["edge-1", "prod-eu", "prod-us"]
        assert fleet.cluster("edge-1") == cluster_view("edge-1")
        assert fleet.cluster("edge-2") is None

    def test_a_dropped_cluster_takes_its_rollouts_along(self, fleet: Fleet) -> None:
        fleet.put_cluster(cluster_view("prod-eu"))
        fill(fleet, "prod-eu/shop/cart", "prod-us/shop/cart")
        fleet.page(PageRequest(order=BY_URGENCY, first=1))
        fleet.drop_cluster("prod-eu")
        assert fleet.cluster("prod-eu") is None
        assert fleet.rollout(RolloutRef("prod-eu", "shop", "cart")) is None
        for order in ((), BY_URGENCY):
            page = fleet.page(PageRequest(order=order, first=5))
            assert names(page.rollouts) == ["prod-us/shop/cart"]
        assert fleet.count(PageRequest()) == 1


class TestCounting:
    def test_counts_and_namespaces_follow_every_change(self, fleet: Fleet) -> None:
        fleet.put_rollout(rollout_view("prod-eu/shop/cart"))
        fleet.put_rollout(rollout_view("prod-eu/pay/api", phase=Phase.DEGRADED))
        fleet.put_rollout(rollout_view("prod-eu/pay/web", phase=Phase.DEGRADED))
        fleet.put_rollout(rollout_view("prod-us/ads/api", phase=Phase.PAUSED))
        assert fleet.counts("prod-eu") == {Phase.HEALTHY: 1, Phase.DEGRADED: 2}
        assert list(fleet.namespaces("prod-eu")) == ["pay", "shop"]

        fleet.put_rollout(rollout_view("prod-eu/pay/web", phase=Phase.HEALTHY))
        fleet.drop_rollout(RolloutRef("prod-eu", "pay", "api"))
        assert fleet.counts("prod-eu") == {Phase.HEALTHY: 2}
        fleet.drop_rollout(RolloutRef("prod-eu", "pay", "web"))
        assert list(fleet.namespaces("prod-eu")) == ["shop"]

    def test_an_unknown_cluster_has_nothing(self, fleet: Fleet) -> None:
        assert fleet.counts("prod-eu") == {}
        assert list(fleet.namespaces("prod-eu")) == []

    def test_count_is_of_all_that_match_now(self, fleet: Fleet) -> None:
        fill(fleet, "prod-eu/shop/cart", "prod-eu/shop/search")
        request = PageRequest(filter=DEGRADED, first=1)
        assert fleet.count(request) == 0
        fleet.put_rollout(rollout_view("prod-eu/shop/cart", phase=Phase.DEGRADED))
        fleet.put_rollout(rollout_view("prod-us/shop/cart", phase=Phase.DEGRADED))
        assert fleet.count(request) == 2
        here = RolloutFilter(and_=(RolloutFilter(cluster=StringFilter(eq="prod-us")), DEGRADED))
        assert fleet.count(PageRequest(filter=here)) == 1
        assert fleet.count(PageRequest()) == 3


class TestPages:
    def test_the_order_is_by_cluster_namespace_and_name_unless_asked(self, fleet: Fleet) -> None:
        fill(fleet, "prod-us/a/a", "prod-eu/b/a", "prod-eu/a/b", "prod-eu/a/a")
        assert names(fleet.page(PageRequest()).rollouts) == [
            "prod-eu/a/a",
            "prod-eu/a/b",
            "prod-eu/b/a",
            "prod-us/a/a",
        ]

    def test_a_page_says_whether_more_lies_on_either_side(self, fleet: Fleet) -> None:
        fill(fleet, *(f"prod-eu/shop/{name}" for name in "abcde"))
        first = fleet.page(PageRequest(first=2))
        assert (first.has_previous, first.has_next) == (False, True)
        second = fleet.page(PageRequest(first=2, after=first.cursors[-1]))
        assert (second.has_previous, second.has_next) == (True, True)
        third = fleet.page(PageRequest(first=2, after=second.cursors[-1]))
        assert names(third.rollouts) == ["prod-eu/shop/e"]
        assert (third.has_previous, third.has_next) == (True, False)

    def test_only_what_matches_counts_as_more(self, fleet: Fleet) -> None:
        fill(fleet, "prod-eu/shop/a", "prod-eu/shop/c")
        fleet.put_rollout(rollout_view("prod-eu/shop/b", phase=Phase.DEGRADED))
        page = fleet.page(PageRequest(filter=DEGRADED, first=1))
        assert names(page.rollouts) == ["prod-eu/shop/b"]
        assert (page.has_previous, page.has_next) == (False, False)

    def test_backwards_is_the_mirror_image(self, fleet: Fleet) -> None:
        fill(fleet, *(f"prod-eu/shop/{name}" for name in "abcde"))
        last = fleet.page(PageRequest(last=2))
        assert names(last.rollouts) == ["prod-eu/shop/d", "prod-eu/shop/e"]
        assert (last.has_previous, last.has_next) == (True, False)
        before = fleet.page(PageRequest(last=2, before=last.cursors[0]))
        assert names(before.rollouts) == ["prod-eu/shop/b", "prod-eu/shop/c"]
        assert (before.has_previous, before.has_next) == (True, True)

    def test_two_cursors_bound_a_page_on_both_sides(self, fleet: Fleet) -> None:
        fill(fleet, *(f"prod-eu/shop/{name}" for name in "abcde"))
        a, _, _, d, _ = fleet.page(PageRequest()).cursors
        between = fleet.page(PageRequest(first=5, after=a, before=d))
        assert names(between.rollouts) == ["prod-eu/shop/b", "prod-eu/shop/c"]
        assert (between.has_previous, between.has_next) == (True, True)
        crossed = fleet.page(PageRequest(last=5, after=d, before=a))
        assert crossed.rollouts == ()

    def test_an_empty_page_is_no_error(self, fleet: Fleet) -> None:
        assert ends(fleet.page(PageRequest(first=5))) == ((), False, False)
        fill(fleet, "prod-eu/shop/a")
        assert ends(fleet.page(PageRequest(first=0))) == ((), True, False)
        assert ends(fleet.page(PageRequest(last=0))) == ((), False, True)

    def test_one_clusters_rollouts_are_a_list_of_their_own(self, fleet: Fleet) -> None:
        fill(fleet, "a/shop/x", "b/shop/x", "b/shop/y", "b/shop/z", "c/shop/x")
        only_b = RolloutFilter(cluster=StringFilter(eq="b"))
        for order in ((), (Order(OrderField.CLUSTER, descending=True),), NEWEST_FIRST):
            request = PageRequest(filter=only_b, order=order, first=2)
            first, second = pages(fleet, request)
            assert names(first.rollouts + second.rollouts) == ["b/shop/x", "b/shop/y", "b/shop/z"]
            assert (first.has_previous, second.has_previous) == (False, True)

    def test_sizes_that_make_no_sense_are_refused(self, fleet: Fleet) -> None:
        with pytest.raises(BadRequestError, match="not both"):
            fleet.page(PageRequest(first=1, last=1))
        with pytest.raises(BadRequestError, match="`last` must not be negative, got -1"):
            fleet.page(PageRequest(last=-1))

    def test_a_filter_that_makes_no_sense_is_refused(self, fleet: Fleet) -> None:
        request = PageRequest(filter=RolloutFilter(label_selector="app in"))
        with pytest.raises(BadFilterError, match="column 7"):
            fleet.page(request)
        with pytest.raises(BadFilterError, match="column 7"):
            fleet.count(request)


class TestCursors:
    @pytest.mark.parametrize("text", ["", "x", "not a cursor", "ÄÖÜ", "AQ", "AQMAAgQ", "A" * 9999])
    def test_a_text_that_is_no_cursor_is_refused(self, fleet: Fleet, text: str) -> None:
        with pytest.raises(BadCursorError, match=r"`after` is not a cursor of this list: start"):
            fleet.page(PageRequest(first=1, after=text))
        with pytest.raises(BadCursorError, match="`before`"):
            fleet.page(PageRequest(last=1, before=text))

    def test_a_cursor_of_another_order_is_refused(self, fleet: Fleet) -> None:
        fill(fleet, "prod-eu/shop/cart")
        cursor = fleet.page(PageRequest(order=NEWEST_FIRST, first=1)).cursors[0]
        with pytest.raises(BadCursorError, match="another order"):
            fleet.page(PageRequest(order=BY_URGENCY, first=1, after=cursor))

    def test_a_cursor_of_one_clusters_list_is_of_that_alone(self, fleet: Fleet) -> None:
        fill(fleet, "prod-eu/shop/cart")
        one = RolloutFilter(cluster=StringFilter(eq="prod-eu"))
        cursor = fleet.page(PageRequest(one, NEWEST_FIRST, first=1)).cursors[0]
        narrower = RolloutFilter(and_=(one, DEGRADED))
        assert fleet.page(PageRequest(narrower, NEWEST_FIRST, after=cursor)).rollouts == ()
        with pytest.raises(BadCursorError, match="one cluster's list"):
            fleet.page(PageRequest(order=NEWEST_FIRST, first=1, after=cursor))

    def test_the_same_order_said_otherwise_is_the_same(self, fleet: Fleet) -> None:
        fill(fleet, "prod-eu/shop/a", "prod-eu/shop/b")
        cursor = fleet.page(PageRequest(first=1)).cursors[0]
        said = (Order(OrderField.CLUSTER), Order(OrderField.CLUSTER, descending=True))
        page = fleet.page(PageRequest(order=said, first=1, after=cursor))
        assert names(page.rollouts) == ["prod-eu/shop/b"]

    def test_a_cursor_outlives_its_rollout_and_its_cluster(self, fleet: Fleet) -> None:
        fill(fleet, "prod-eu/shop/a", "prod-us/shop/b")
        cursor = fleet.page(PageRequest(first=1)).cursors[0]
        fleet.drop_cluster("prod-eu")
        page = fleet.page(PageRequest(first=1, after=cursor))
        assert names(page.rollouts) == ["prod-us/shop/b"]
        assert not page.has_previous

    def test_another_mirror_goes_on_from_the_place(
        self, new_fleet: FleetFactory, clock: HandClock
    ) -> None:
        one, other = new_fleet(clock), new_fleet(clock)
        for fleet in (one, other):
            fill(fleet, "prod-eu/shop/a", "prod-eu/shop/b", "prod-eu/shop/c")
        cursor = one.page(PageRequest(first=1)).cursors[0]
        page = other.page(PageRequest(first=1, after=cursor))
        assert names(page.rollouts) == ["prod-eu/shop/b"]


class TestWalksDuringChange:
    """Ten rollouts, newest first, three to a page; a write moves a rollout to the front."""

    @pytest.fixture
    def walk(self, fleet: Fleet) -> Iterator[Page]:
        for n in range(10):
            self.touch(fleet, f"r{n}", -n)
        return pages(fleet, PageRequest(order=NEWEST_FIRST, first=3))

    @staticmethod
    def touch(fleet: Fleet, name: str, minutes: int, phase: Phase = Phase.HEALTHY) -> None:
        at = NOON + timedelta(minutes=minutes)
        fleet.put_rollout(rollout_view(f"prod-eu/shop/{name}", updated_at=at, phase=phase))

    def test_what_moves_ahead_is_still_visited_at_its_old_place(
        self, fleet: Fleet, walk: Iterator[Page]
    ) -> None:
        next(walk)
        self.touch(fleet, "r4", 60, Phase.DEGRADED)
        second = next(walk)
        assert [view.ref.name for view in second.rollouts] == ["r3", "r4", "r5"]
        assert second.rollouts[1].phase is Phase.DEGRADED  # the place is old, the view is not

    def test_what_moves_behind_is_not_visited_again(
        self, fleet: Fleet, walk: Iterator[Page]
    ) -> None:
        next(walk)
        self.touch(fleet, "r0", -60)
        rest = [view.ref.name for page in walk for view in page.rollouts]
        assert rest == ["r3", "r4", "r5", "r6", "r7", "r8", "r9"]

    def test_a_new_walk_sees_the_new_places(self, fleet: Fleet, walk: Iterator[Page]) -> None:
        next(walk)
        self.touch(fleet, "r9", 60)
        page = fleet.page(PageRequest(order=NEWEST_FIRST, first=2))
        assert [view.ref.name for view in page.rollouts] == ["r9", "r0"]

    def test_what_is_made_or_deleted_meanwhile_is_no_part_of_the_walk(
        self, fleet: Fleet, walk: Iterator[Page]
    ) -> None:
        next(walk)
        fleet.drop_rollout(RolloutRef("prod-eu", "shop", "r3"))
        fleet.drop_rollout(RolloutRef("prod-eu", "shop", "r4"))
        self.touch(fleet, "r4", -4)  # made again at its old place
        self.touch(fleet, "new", -5)
        assert [view.ref.name for view in next(walk).rollouts] == ["r5", "r6", "r7"]

    def test_turning_back_shows_the_pages_that_were_seen(
        self, fleet: Fleet, walk: Iterator[Page]
    ) -> None:
        first, second = next(walk), next(walk)
        for n in range(10):
            self.touch(fleet, f"r{n}", n)
        back = fleet.page(PageRequest(order=NEWEST_FIRST, last=3, before=second.cursors[0]))
        assert names(back.rollouts) == names(first.rollouts)
        assert back.cursors == first.cursors
        assert (back.has_previous, back.has_next) == (False, True)

    def test_a_walk_is_remembered_for_most_of_a_minute_of_change(
        self, fleet: Fleet, clock: HandClock, walk: Iterator[Page]
    ) -> None:
        next(walk)
        clock.forward(3600)  # nothing changes, nothing is forgotten
        for minutes in range(1, 6):
            self.touch(fleet, "r3", minutes)
            clock.forward(11)
        assert [view.ref.name for view in next(walk).rollouts] == ["r3", "r4", "r5"]

    def test_a_forgotten_walk_goes_on_over_the_present_places(
        self, fleet: Fleet, clock: HandClock, walk: Iterator[Page]
    ) -> None:
        next(walk)
        self.touch(fleet, "r3", 60)
        clock.forward(60)
        self.touch(fleet, "r0", -60)
        rest = [view.ref.name for page in walk for view in page.rollouts]
        assert rest == ["r4", "r5", "r6", "r7", "r8", "r9", "r0"]

    def test_a_forgotten_walk_is_pinned_anew(
        self, fleet: Fleet, clock: HandClock, walk: Iterator[Page]
    ) -> None:
        next(walk)
        self.touch(fleet, "r0", 60)
        clock.forward(60)
        self.touch(fleet, "r0", 61)
        next(walk)
        self.touch(fleet, "r7", 62)
        assert [view.ref.name for view in next(walk).rollouts] == ["r6", "r7", "r8"]
