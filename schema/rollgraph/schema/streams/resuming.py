"""What a reader has missed who comes back with a cursor."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from rollgraph.core.feed.audience import Audience
from rollgraph.core.feed.cursors import Cursor, decode
from rollgraph.core.feed.entries import Position
from rollgraph.core.feed.news import Frontier, News, together
from rollgraph.core.refs import RolloutRef
from rollgraph.core.view import RolloutView
from rollgraph.ports import Newsroom

UNKNOWN = "what changed since the cursor is not known any more, or is not yours to know"


class Missed(msgspec.Struct, frozen=True):
    """News that were missed.

    Attributes:
        told: How many events of it the reader has got.
    """

    news: News
    told: int = 0


class Place(msgspec.Struct, frozen=True):
    """Where a reader comes back to.

    Attributes:
        clusters: The spokes that concern them now.
        audience: What they ask for and are shown now; it gets to know what they know.
    """

    news: Newsroom
    clusters: frozenset[str]
    audience: Audience


def missed(
    after: str,
    place: Place,
    views: Sequence[RolloutView],
    interested: Callable[[News], bool],
) -> Sequence[Missed] | None:
    """What a reader has missed; None if nobody knows, or it is not to be told as changes.

    Args:
        after: The cursor of the last event that they got.
        place: Where they come back to.
        views: What they are shown now.
        interested: Which news can concern them.

    Raises `BadCursorError`.
    """
    cursor = decode(after)
    frontier = place.news.frontier
    positions = cursor.positions(frontier.positions, place.clusters)
    found = None if positions is None else place.news.since(positions)
    if positions is None or found is None:
        return None
    theirs = [news for news in found if interested(news)]
    place.audience.know_only(_known(place.audience, views, theirs))
    if place.audience.members != cursor.members:
        place.audience.know_only(())
        return None
    return [*with_frontiers(found, set(theirs), positions, cursor)]


def merged(found: Sequence[Missed]) -> list[Missed]:
    """What was missed of each rollout as one, in the order of the last of each."""
    latest: dict[RolloutRef | None, News] = {}
    for item in found:
        before = latest.pop(item.news.ref, None)
        latest[item.news.ref] = item.news if before is None else together(before, item.news)
    return [Missed(news) for news in latest.values()]


def _known(
    audience: Audience, views: Sequence[RolloutView], news: Sequence[News]
) -> set[RolloutRef]:
    """What they knew then: what they are shown now, as it was before the first that they missed."""
    known = {view.ref for view in views}
    for item in reversed(news):
        ref, (before, _) = item.ref, item.views
        if ref is not None and audience.sees(before):
            known.add(ref)
        elif ref is not None:
            known.discard(ref)
    return known


def with_frontiers(
    found: Sequence[News], theirs: set[News], positions: Mapping[str, Position], cursor: Cursor
) -> Iterator[Missed]:
    """Theirs among all news that were missed, each with how far one is who knows it.

    Args:
        positions: Where the reader was.
        cursor: What says so.
    """
    here = dict(positions)
    for news in found:
        first = news.position.seq == positions[news.cluster].seq + 1
        told = cursor.told_of(news.cluster, news.position) if first else 0
        here[news.cluster] = news.position
        if news in theirs:
            yield Missed(msgspec.structs.replace(news, frontier=Frontier(dict(here))), told)
