"""What waits for one listener, within bounds."""

import asyncio
from collections import deque
from collections.abc import Callable

from rollgraph.core.feed.news import News, together
from rollgraph.ports import FeedObserver

# News that wait for one listener. A browser on a slow line takes some 50 a second; this is what a
# fleet of 300 that is deployed all at once brings in a second or two.
MOST = 256


class Subscription:
    """News for one listener, in order; an async iterator, and a context that ends it.

    A listener that is too slow loses the story and keeps the state: of several news of one rollout
    what is left is one, from how it was to how it is. If even those are too many, all are dropped
    and it is told so by None: it has to look at the whole anew.

    Args:
        wanted: Which news it wants; asked at once for each, so it has to be quick.
        ended: Called when it ends.
        most: News that may wait.
        observer: Hears what it was too slow for.
        full: Called while much waits, before each that is added.

    Attributes:
        much: News that wait of which there are more when much waits.
    """

    def __init__(
        self,
        wanted: Callable[[News], bool],
        ended: Callable[["Subscription"], None] = lambda _: None,
        most: int = MOST,
        observer: FeedObserver | None = None,
        full: Callable[["Subscription"], None] = lambda _: None,
    ) -> None:
        self.much = most // 4
        self._wanted = wanted
        self._ended = ended
        self._full = full
        self._most = most
        self._observer = observer or FeedObserver()
        self._waiting: deque[News | None] = deque()
        # Not an event of anyio's, of which each wait would need a new one, nor of asyncio's, which
        # looks at its loop: a tenth of what it takes to tell a change.
        self._sleeper: asyncio.Future[None] | None = None
        self._nudged = False

    def offer(self, news: News) -> None:
        """Lets news wait, if they are wanted."""
        if not self._wanted(news):
            return
        if len(self._waiting) >= self.much:
            self._full(self)
            if len(self._waiting) >= self._most:
                self._shorten()
        self._waiting.append(news)
        self._wake()

    def tear(self) -> None:
        """Drops what waits: it has to look anew, for what it may see is different now."""
        self._waiting.clear()
        self._waiting.append(None)
        self._wake()

    def nudge(self) -> None:
        """Ends a `wait` although nothing came."""
        self._nudged = True
        self._wake()

    @property
    def depth(self) -> int:
        """How many news wait."""
        return len(self._waiting)

    @property
    def room(self) -> int:
        """How many more may."""
        return self._most - len(self._waiting)

    @property
    def waiting(self) -> bool:
        """Whether something waits."""
        return bool(self._waiting)

    async def wait(self) -> None:
        """Until something waits, or it is nudged, also if that was since the last wait ended.

        One task at a time.
        """
        if not self._waiting and not self._nudged:
            self._sleeper = asyncio.get_running_loop().create_future()
            await self._sleeper
        self._nudged = False

    def take(self) -> News | None:
        """The next of what waits; None if some were dropped. `IndexError` if nothing waits."""
        return self._waiting.popleft()

    def drain(self) -> list[News | None]:
        """All that waits, which then waits no more."""
        all_of_it = [*self._waiting]
        self._waiting.clear()
        return all_of_it

    def __aiter__(self) -> "Subscription":
        """It is its own iterator."""
        return self

    async def __anext__(self) -> News | None:
        """The next news; None if some were dropped."""
        while not self._waiting:
            await self.wait()
        return self.take()

    def __enter__(self) -> "Subscription":
        """Subscribed from the start."""
        return self

    def __exit__(self, *_: object) -> None:
        """Ends it: nothing waits any more."""
        self._waiting.clear()
        self._ended(self)

    def _wake(self) -> None:
        if self._sleeper is not None:
            if not self._sleeper.done():  # it is if the wait was cancelled
                self._sleeper.set_result(None)
            self._sleeper = None

    def _shorten(self) -> None:
        latest: dict[object, News] = {}
        torn, heard = False, 0
        for news in self._waiting:
            if news is None:
                torn = True
                continue
            heard += 1
            key = (news.cluster, news.subject)
            before = latest.pop(key, None)
            latest[key] = news if before is None else together(before, news)
        self._waiting.clear()
        if torn:
            self._waiting.append(None)
        if len(latest) < self._most // 2:
            self._waiting.extend(latest.values())
            self._observer.coalesced(heard - len(latest))
            return
        self._observer.dropped(heard)
        if not torn:
            self._waiting.append(None)
