"""The paging guarantee of `Mirror`, against a model that remembers everything.

Random writes, pages and waits. As long as a walk is remembered (a minute of change) each of its
pages must be exactly what the model says; and at its end each rollout that existed and matched all
the while must have been visited exactly once. Of a walk that may be forgotten, that is asked of the
rollouts that have not moved. Walks are taken by several viewers, for whom what they are not shown
does not match.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, ClassVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from contract.mirrors import FleetFactory, HandClock
from factories import NOON, rollout_view
from rollgraph.core.filtering import RolloutFilter, StringFilter, predicate
from rollgraph.core.ordering import URGENCY
from rollgraph.core.paging import Order, OrderField, Page, PageRequest
from rollgraph.core.phase import Phase
from rollgraph.core.refs import RolloutRef
from rollgraph.core.view import RolloutView
from rollgraph.core.visibility import Visibility

CLUSTERS = ("edge", "prod-eu", "prod-us")
REFS = [
    RolloutRef(cluster, namespace, name)
    for cluster in CLUSTERS
    for namespace in ("pay", "shop")
    for name in ("api", "api-v2", "web")
]
ORDERS = [
    (),
    (Order(OrderField.CLUSTER, descending=True),),
    (Order(OrderField.NAME),),
    (Order(OrderField.PHASE),),
    (Order(OrderField.UPDATED_AT, descending=True),),
    (Order(OrderField.PHASE, descending=True), Order(OrderField.UPDATED_AT)),
    (Order(OrderField.CLUSTER), Order(OrderField.PROGRESS, descending=True)),
    (Order(OrderField.NAMESPACE), Order(OrderField.NAME, descending=True)),
]
DEGRADED = RolloutFilter(phase=(Phase.DEGRADED,))
ON_EU = RolloutFilter(cluster=StringFilter(eq="prod-eu"))
FILTERS = [
    None,
    DEGRADED,
    RolloutFilter(not_=DEGRADED),
    RolloutFilter(name=StringFilter(matches="api*")),
    ON_EU,
    RolloutFilter(and_=(ON_EU, RolloutFilter(not_=DEGRADED))),
]
# What viewers see: all of it; a namespace; what goes well, which changes during a walk; nothing.
VIEWERS = [
    None,
    Visibility("shop", lambda view: view.ref.namespace == "shop"),
    Visibility("well", lambda view: view.phase is not Phase.DEGRADED),
    Visibility("nobody", lambda view: False),
]
VALUES: dict[OrderField, Callable[[RolloutView], Any]] = {
    OrderField.CLUSTER: lambda view: view.ref.cluster,
    OrderField.NAMESPACE: lambda view: view.ref.namespace,
    OrderField.NAME: lambda view: view.ref.name,
    OrderField.PHASE: lambda view: URGENCY.index(view.phase),
    OrderField.UPDATED_AT: lambda view: view.updated_at,
    OrderField.CREATED_AT: lambda view: view.created_at,
    OrderField.PROGRESS: lambda view: view.progress.percent,
}
A_MINUTE = timedelta(minutes=1)


@dataclass(eq=False)
class Life:
    """A rollout from its making to its end: one that is made again is another one."""

    view: RolloutView
    ended: bool = False


@dataclass
class Walk:
    """A walk under way: what the model knows of it."""

    request: PageRequest
    visible: Visibility | None
    places: list[Life]
    faithful: set[Life]
    unmoved: set[Life]
    visits: Counter[Life] = field(default_factory=Counter)
    page: Page | None = None
    shown: list[Life] = field(default_factory=list)
    changed_at: datetime | None = None
    turned: bool = False

    def test(self, view: RolloutView) -> bool:
        return matches(view, self.request.filter, self.visible)

    def values(self, view: RolloutView) -> list[object]:
        return [VALUES[part.field](view) for part in self.request.order]


def matches(view: RolloutView, filter: RolloutFilter | None, visible: Visibility | None) -> bool:
    """Whether a viewer gets to see a rollout that they ask for."""
    return predicate(filter)(view) and (visible is None or visible.shows(view))


def ordered(lives: list[Life], order: tuple[Order, ...]) -> list[Life]:
    """The least significant key first: sorting keeps the order of equals."""
    chosen = sorted(lives, key=lambda life: life.view.ref)
    for part in reversed(order):
        chosen.sort(key=partial(value_of, part.field), reverse=part.descending)
    return chosen


def value_of(field: OrderField, life: Life) -> Any:
    return VALUES[field](life.view)


class MirrorMachine(RuleBasedStateMachine):
    """Writes, waits and walks; see the module."""

    new_fleet: ClassVar[FleetFactory]
    remembered_for: ClassVar[timedelta]

    def __init__(self) -> None:
        super().__init__()
        self.clock = HandClock()
        self.fleet = type(self).new_fleet(self.clock)
        self.lives: dict[RolloutRef, Life] = {}
        self.walks: list[Walk] = []

    @initialize(refs=st.sets(st.sampled_from(REFS), min_size=6), data=st.data())
    def fill(self, refs: set[RolloutRef], data: st.DataObject) -> None:
        for ref in sorted(refs):
            self.put(ref, data.draw(st.sampled_from(Phase)), data.draw(st.integers(0, 9)), 50)

    @rule(
        ref=st.sampled_from(REFS),
        phase=st.sampled_from(Phase),
        minute=st.integers(0, 9),
        percent=st.sampled_from((0, 50, 100)),
    )
    def put(self, ref: RolloutRef, phase: Phase, minute: int, percent: int) -> None:
        updated_at = NOON + timedelta(minutes=minute)
        view = rollout_view(str(ref), phase=phase, updated_at=updated_at, percent=percent)
        life = self.lives.get(ref)
        if life is None:
            self.lives[ref] = Life(view)
        else:
            for walk in self.walks:
                if walk.values(life.view) != walk.values(view):
                    walk.unmoved.discard(life)
                if not walk.test(view):
                    walk.faithful.discard(life)
            life.view = view
        self.fleet.put_rollout(view)
        self.changed()

    @rule(ref=st.sampled_from(REFS))
    def drop(self, ref: RolloutRef) -> None:
        self.end(ref)
        self.fleet.drop_rollout(ref)
        self.changed()

    @rule(cluster=st.sampled_from(CLUSTERS))
    def drop_cluster(self, cluster: str) -> None:
        for ref in REFS:
            if ref.cluster == cluster:
                self.end(ref)
        self.fleet.drop_cluster(cluster)
        self.changed()

    @rule(seconds=st.sampled_from((1, 20, 59, 61)))
    def wait(self, seconds: int) -> None:
        self.clock.forward(seconds)

    @rule(
        order=st.sampled_from(ORDERS),
        filter=st.sampled_from(FILTERS),
        size=st.integers(1, 4),
        backwards=st.booleans(),
        visible=st.sampled_from(VIEWERS),
    )
    def start(
        self,
        order: tuple[Order, ...],
        filter: RolloutFilter | None,
        size: int,
        backwards: bool,
        visible: Visibility | None,
    ) -> None:
        lives = list(self.lives.values())
        matching = {life for life in lives if matches(life.view, filter, visible)}
        request = PageRequest(
            filter, order, first=None if backwards else size, last=size if backwards else None
        )
        walk = Walk(request, visible, ordered(lives, order), matching, set(matching))
        self.turn_page(walk, request)
        self.walks.append(walk)

    @precondition(lambda self: self.walks)
    @rule(data=st.data())
    def go_on(self, data: st.DataObject) -> None:
        walk = data.draw(st.sampled_from(self.walks))
        assert walk.page is not None
        backwards = walk.request.last is not None
        more = walk.page.has_previous if backwards else walk.page.has_next
        if not walk.page.rollouts or not more:
            self.finish(walk)
            return
        self.turn_page(walk, self.next_request(walk, backwards))

    @precondition(lambda self: self.walks)
    @rule(data=st.data())
    def turn_back(self, data: st.DataObject) -> None:
        walk = data.draw(st.sampled_from(self.walks))
        if walk.page is None or not walk.page.rollouts:
            return
        walk.turned = True
        self.turn_page(walk, self.next_request(walk, walk.request.last is None))

    @rule(filter=st.sampled_from(FILTERS), visible=st.sampled_from(VIEWERS))
    def count(self, filter: RolloutFilter | None, visible: Visibility | None) -> None:
        views = [life.view for life in self.lives.values()]
        matching = [view for view in views if matches(view, filter, visible)]
        assert self.fleet.count(PageRequest(filter), visible) == len(matching)
        found = self.fleet.matching(filter, visible)
        assert sorted(view.ref for view in found) == sorted(view.ref for view in matching)

    @rule(cluster=st.sampled_from(CLUSTERS), visible=st.sampled_from(VIEWERS))
    def summary(self, cluster: str, visible: Visibility | None) -> None:
        views = [life.view for life in self.lives.values() if life.view.ref.cluster == cluster]
        here = [view for view in views if matches(view, None, visible)]
        assert self.fleet.counts(cluster, visible) == Counter(view.phase for view in here)
        namespaces = sorted({view.ref.namespace for view in here})
        assert list(self.fleet.namespaces(cluster, visible)) == namespaces

    def end(self, ref: RolloutRef) -> None:
        life = self.lives.pop(ref, None)
        if life is not None:
            life.ended = True
            for walk in self.walks:
                walk.faithful.discard(life)

    def changed(self) -> None:
        for walk in self.walks:
            walk.changed_at = walk.changed_at or self.clock.now()

    def remembered(self, walk: Walk) -> bool:
        return walk.changed_at is None or self.clock.now() < walk.changed_at + self.remembered_for

    def next_request(self, walk: Walk, backwards: bool) -> PageRequest:
        assert walk.page is not None
        request, cursors = walk.request, walk.page.cursors
        size = request.first or request.last
        if backwards:
            return PageRequest(request.filter, request.order, last=size, before=cursors[0])
        return PageRequest(request.filter, request.order, first=size, after=cursors[-1])

    def turn_page(self, walk: Walk, request: PageRequest) -> None:
        page = self.fleet.page(request, walk.visible)
        shown = [self.lives[view.ref] for view in page.rollouts]
        assert [life.view for life in shown] == list(page.rollouts)
        assert len(set(page.cursors)) == len(shown)
        if self.remembered(walk):
            self.check_exactly(walk, request, page, shown)
        walk.visits.update(shown)
        walk.page, walk.shown = page, shown

    def check_exactly(
        self, walk: Walk, request: PageRequest, page: Page, shown: list[Life]
    ) -> None:
        places = walk.places
        found = [not life.ended and walk.test(life.view) for life in places]
        if request.last is None:
            start = 0 if request.after is None else places.index(walk.shown[-1]) + 1
            hits = [n for n in range(start, len(places)) if found[n]]
            expected, rest = hits[: request.first], hits[request.first :]
            before, after = any(found[:start]), bool(rest)
        else:
            stop = len(places) if request.before is None else places.index(walk.shown[0])
            hits = [n for n in range(stop) if found[n]]
            expected, rest = hits[-request.last :], hits[: -request.last]
            before, after = bool(rest), any(found[stop:])
        assert shown == [places[n] for n in expected]
        assert (page.has_previous, page.has_next) == (before, after)

    def finish(self, walk: Walk) -> None:
        self.walks.remove(walk)
        if walk.turned:
            return
        sure = walk.faithful if self.remembered(walk) else walk.faithful & walk.unmoved
        assert {str(life.view.ref): walk.visits[life] for life in sure} == {
            str(life.view.ref): 1 for life in sure
        }
        if self.remembered(walk):
            assert all(visits == 1 for visits in walk.visits.values())

    def teardown(self) -> None:
        """Walks to the end whatever is still under way."""
        for walk in list(self.walks):
            while walk in self.walks:
                assert walk.page is not None
                backwards = walk.request.last is not None
                more = walk.page.has_previous if backwards else walk.page.has_next
                if walk.page.rollouts and more:
                    self.turn_page(walk, self.next_request(walk, backwards))
                else:
                    self.finish(walk)


def run(new_fleet: FleetFactory, remembered: timedelta = A_MINUTE, examples: int = 100) -> None:
    """Runs the machine on one implementation."""

    class Machine(MirrorMachine):
        pass

    Machine.new_fleet = staticmethod(new_fleet)
    Machine.remembered_for = remembered
    case = Machine.TestCase
    case.settings = settings(max_examples=examples, stateful_step_count=40, deadline=None)
    case().runTest()
