"""The stream of what happens to some rollouts: their state first, then each change, in order.

It is what stands between the news of all rollouts and one reader. It knows what the reader knows,
so that whatever the reader is told leads from there to how the rollouts are: also when the reader
is slow, comes back, or is not shown the same rollouts any more.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta

import msgspec

from rollgraph.core.feed.audience import Audience
from rollgraph.core.feed.cursors import encode
from rollgraph.core.feed.news import Frontier, News
from rollgraph.core.feed.pacing import Pacer
from rollgraph.core.feed.topics import Topic, of_filter
from rollgraph.core.filtering import RolloutFilter, only_cluster, predicate
from rollgraph.core.refs import RolloutRef
from rollgraph.core.view import RolloutView
from rollgraph.schema.context import Context
from rollgraph.schema.streams.resuming import UNKNOWN, Missed, Place, merged, missed
from rollgraph.schema.streams.stream import Stream
from rollgraph.schema.streams.telling import EventKind, Telling, resync
from rollgraph.schema.streams.wording import Mark, Wording, of_news

LOST = "more changed at once than could be told"


class Wanted(msgspec.Struct, frozen=True):
    """What a reader asks for.

    Attributes:
        wording: How it is put.
        ref: One rollout; None for all that match.
        filter: Which rollouts.
        initial: Whether the state comes first.
        interval: The shortest time between two news of one rollout; None to tell each.
        resume_after: The cursor of the last event that the reader got; "" without one.
    """

    wording: Wording
    ref: RolloutRef | None = None
    filter: RolloutFilter | None = None
    initial: bool = True
    interval: timedelta | None = None
    resume_after: str = ""


class _State(msgspec.Struct):
    """Rollouts as they were at a moment, to be told."""

    frontier: Frontier
    views: deque[RolloutView]
    at: datetime


class _Differences(msgspec.Struct):
    """All that the reader is shown as of a moment; what differs from what they know is told."""

    frontier: Frontier
    views: dict[RolloutRef, RolloutView]
    at: datetime


class _Differing(msgspec.Struct):
    """What differs, to be told."""

    frontier: Frontier
    gone: deque[RolloutRef]
    new: deque[RolloutView]
    at: datetime


class _Fresh(msgspec.Struct):
    """The reader has to begin anew."""

    reason: str


_Item = News | Missed | _State | _Differences | _Differing | _Fresh


class RolloutStream(Stream[Telling]):
    """Events of some rollouts.

    Args:
        context: The subscription's surroundings.
        wanted: What the reader asks for.

    Raises `BadCursorError` for a cursor that is none, `BadFilterError` for a filter that makes no
    sense.
    """

    def __init__(self, context: Context, wanted: Wanted) -> None:
        self._wanted = wanted
        self._wording = wanted.wording
        self._matches = predicate(wanted.filter)
        super().__init__(context, self._interests(), self._topics())
        self._audience = Audience(self._matches, self.viewing.shows)
        self._pacer = Pacer(wanted.interval) if wanted.interval else None
        # How far all news are told, or held: what is released now came before.
        self._reached: Frontier | None = None
        self._backlog: deque[_Item] = deque()
        self._clusters = self._visible_clusters()
        try:
            self._begin()
        except BaseException:
            self._listening.__exit__(None, None, None)
            raise

    def _interests(self) -> Callable[[News], bool]:
        ref, matches = self._wanted.ref, self._matches
        if ref is not None:
            cluster, key = ref.cluster, ref.key
            return lambda news: news.cluster == cluster and news.subject == key

        def interested(news: News) -> bool:
            before, after = news.views
            return (after is not None and matches(after)) or (
                before is not None and matches(before)
            )

        return interested

    def _topics(self) -> Sequence[Topic] | None:
        ref = self._wanted.ref
        return of_filter(self._wanted.filter) if ref is None else (("name", ref.name),)

    def _begin(self) -> None:
        after = self._wanted.resume_after
        if after:
            place = Place(self._context.news, self._clusters, self._audience)
            found = missed(after, place, self._views(), self._interests())
            if found is None:
                self._know_one()
                self._backlog.append(_Fresh(UNKNOWN))
            else:
                self._backlog.extend(found if self._pacer is None else merged(found))
        elif self._wanted.initial:
            self._backlog.append(self._state())
        else:
            self._audience.know_only(view.ref for view in self._views())

    def _know_one(self) -> None:
        """Who comes back for one rollout has known of it, and hears if it is gone."""
        if self._wanted.ref is not None:
            self._audience.learn(self._wanted.ref)

    def _visible_clusters(self) -> frozenset[str]:
        """The clusters that the viewer may know of and that can have rollouts of the stream."""
        ref = self._wanted.ref
        only = only_cluster(self._wanted.filter) if ref is None else ref.cluster
        names = set(self._context.news.frontier.positions)
        if not self.viewing.caller.rights.sees_all:
            # By their rollouts: these may be known before anything is of the cluster itself.
            fleet = self.viewing.context().fleet
            names = {name for name in names if fleet.shows_inside(name) or fleet.counts(name)}
        return frozenset(names if only is None else names & {only})

    def _views(self) -> list[RolloutView]:
        """All rollouts that the reader is shown now."""
        fleet, ref = self.viewing.context().fleet, self._wanted.ref
        if ref is not None:
            view = fleet.rollout(ref)
            found: Iterable[RolloutView] = () if view is None else (view,)
        else:
            found = fleet.matching(self._wanted.filter)
        return [view for view in found if self._audience.sees(view)]

    def _state(self) -> _State:
        return _State(self._context.news.frontier, deque(self._views()), self._context.time())

    def _renew(self, now: datetime) -> None:
        """Tells what is not yet told as far as it is shown by other rights, then what differs."""
        self._audience.shown = self.viewing.shows
        self._clusters = self._visible_clusters()
        for _ in range(len(self._ready)):
            self._keep_if_shown(self._ready.popleft())
        self._backlog.extend(self._untold())
        views = {view.ref: view for view in self._views()}
        self._backlog.append(_Differences(self._context.news.frontier, views, now))

    def _untold(self) -> Iterator[_Item]:
        """All news until now, which are told without waiting for their pace.

        If they were told after what differs now, it would be said again, as if it were new.
        """
        held = [] if self._pacer is None else self._pacer.flush()
        waiting = self._listening.drain()
        if None in waiting:
            yield _Fresh(LOST)
            return
        news = [Missed(each) for each in (*held, *waiting) if each is not None]
        yield from news if self._pacer is None else merged(news)

    def _keep_if_shown(self, telling: Telling) -> None:
        if telling.view is None or self.viewing.shows(telling.view):
            self._ready.append(telling)
        elif telling.told.kind in (EventKind.SNAPSHOT, EventKind.ADDED):
            self._audience.forget(telling.view.ref)  # they have never heard of it

    @property
    def _pending(self) -> bool:
        return bool(self._backlog) or super()._pending

    def _due(self) -> datetime | None:
        return None if self._pacer is None else self._pacer.due

    def _advance(self) -> bool:
        item = self._next() if self._pacer is None else self._next_paced(self._pacer)
        if item is not None:
            self._ready.extend(self._tell(item))
        return item is not None

    def _next(self) -> _Item | None:
        """What is to be told next; None if there is nothing."""
        if self._backlog:
            return self._backlog.popleft()
        if not self._listening.waiting:
            return None
        news = self._listening.take()
        return _Fresh(LOST) if news is None else news

    def _next_paced(self, pacer: Pacer) -> _Item | None:
        """The same, of what need not wait for its pace."""
        now = self._context.time()
        item: _Item | None = pacer.release(now)
        if item is not None:
            return item
        while isinstance(item := self._next(), News):
            self._reached = item.frontier
            if not pacer.holds(item, now):
                break
        return item

    def _tell(self, item: _Item) -> Iterable[Telling]:
        match item:
            case News():
                return self._tell_news(item, self._reached or item.frontier)
            case Missed():
                return self._tell_news(item.news, item.news.frontier, item.told)
            case _State():
                return self._tell_state(item)
            case _Differences():
                return self._find_differences(item)
            case _Differing():
                return self._tell_differing(item)
            case _Fresh():
                return self._tell_anew(item)

    def _tell_news(self, news: News, frontier: Frontier | None, skip: int = 0) -> Sequence[Telling]:
        before = self._audience.members
        assert frontier is not None, "what listeners get has one"
        if news.cluster not in self._clusters:
            self._clusters |= {news.cluster}
        heard, paced = self._audience.hear(news), self._pacer is not None
        here, after = self._at_most(frontier), self._audience.members
        mark = Mark(here, self._clusters, before, after, partly=not paced)
        if paced or skip:  # nobody else is at such a place
            return self._wording.of_news(news, heard, mark, skip)
        return of_news(self._wording, news, heard, mark)

    def _cursor(self, frontier: Frontier) -> str:
        return encode(self._at_most(frontier), self._clusters, self._audience.members)

    def _at_most(self, frontier: Frontier) -> Frontier:
        """A frontier, but before what is held back."""
        return frontier if self._pacer is None else self._pacer.frontier(frontier)

    def _tell_state(self, state: _State) -> Iterator[Telling]:
        """The next rollout of a state; the others stay in the backlog."""
        if not state.views:
            return
        view = state.views.popleft()
        self._backlog.appendleft(state)
        if self._audience.sees(view):
            self._audience.learn(view.ref)
            cursor = self._cursor(state.frontier)
            yield from self._wording.of_view(view, EventKind.SNAPSHOT, cursor, state.at)

    def _find_differences(self, now: _Differences) -> Iterator[Telling]:
        known = self._audience.known
        gone = deque(sorted(known - now.views.keys()))
        new = deque(view for ref, view in now.views.items() if ref not in known)
        return self._tell_differing(_Differing(now.frontier, gone, new, now.at))

    def _tell_differing(self, now: _Differing) -> Iterator[Telling]:
        """The next that differs; the others stay in the backlog.

        One by one, as of a state: what is ready may have to be taken back, and cursors of what
        comes after it would speak of it.
        """
        if now.gone:
            self._backlog.appendleft(now)
            ref = now.gone.popleft()
            self._audience.forget(ref)
            yield from self._wording.of_gone(ref, self._cursor(now.frontier), now.at)
        elif now.new:
            self._backlog.appendleft(now)
            view = now.new.popleft()
            if self._audience.sees(view):
                self._audience.learn(view.ref)
                cursor = self._cursor(now.frontier)
                yield from self._wording.of_view(view, EventKind.ADDED, cursor, now.at)

    def _tell_anew(self, fresh: _Fresh) -> Iterator[Telling]:
        """Says that what was told is void, and tells how all is now."""
        self._backlog.clear()
        self._listening.drain()
        if self._pacer is not None:
            self._pacer.flush()
        state, gone = self._state(), self._audience.known
        self._audience.know_only(())
        cursor = self._cursor(state.frontier)
        cluster = self._wanted.ref.cluster if self._wanted.ref else ""
        yield resync(self._wording.make, fresh.reason, cursor, state.at, cluster)
        for ref in sorted(gone - {view.ref for view in state.views}):
            yield from self._wording.of_gone(ref, cursor, state.at)
        self._backlog.append(state)
