"""When the next part of many news is told, so that who reads them can keep up."""

from typing import Protocol

import anyio

from rollgraph.feed.subscription import MOST

# News that are told without a turn for readers in between: a quarter of what may wait for one.
PART = MOST // 4
# News for which a reader must have room before a part is told: the part, and half of what may wait,
# which is for what happens on other spokes meanwhile: that does not wait.
ROOM = PART + MOST // 2
# Seconds that a part waits for readers who have no room: a thousand of them take 0.2 s for one. Who
# takes longer, at fewer than 128 a second, is slow: as anybody for whom too much waits, they lose
# the story and keep the state. Until they have caught up nobody waits for them again.
PATIENCE = 0.5
# Seconds that parts wait in all, of all spokes, and how much of it comes back in each second: many
# slow readers one after the other, and readers of whom all are too slow, keep nobody else from
# what is by more than that. Spokes are called stale that were not heard of for 10 seconds.
IN_ALL, COMES_BACK = 5.0, 0.1
# Seconds between two looks at readers who have no room: they do not say when they have, for they
# take far more often than anybody waits for it.
LOOK_EVERY = 0.005


class Readers(Protocol):
    """Those who are told."""

    def crowded(self, news: int) -> bool:
        """Whether somebody has no room for so many news, and is to be waited for."""

    def give_up(self, news: int) -> None:
        """They are not to be waited for any more, until they have caught up."""


class Turns:
    """Gives those who have many news to tell their turns, one after the other.

    That readers get a turn of the event loop after each part is not enough: many take one for some
    of it, and what they send goes over lines that are full at times. So a part waits until all who
    read have room for it, within bounds.

    Args:
        readers: Those who are told.
    """

    def __init__(self, readers: Readers) -> None:
        self._readers = readers
        # One waits at a time. Else a reader who has just made room would lose it to another, and
        # seem slow.
        self._line = anyio.Lock()
        self._left, self._at = IN_ALL, 0.0

    async def next(self) -> None:
        """Returns when it is one's turn: a part, told without a wait, has room then."""
        async with self._line:  # others have had a turn by then
            if self._readers.crowded(ROOM):
                await self._wait()

    async def _wait(self) -> None:
        begun = anyio.current_time()
        left = min(IN_ALL, self._left + (begun - self._at) * COMES_BACK)
        with anyio.move_on_after(min(PATIENCE, left)) as waiting:
            while self._readers.crowded(ROOM):  # noqa: ASYNC110 - see LOOK_EVERY
                await anyio.sleep(LOOK_EVERY)
        if waiting.cancelled_caught:
            self._readers.give_up(ROOM)
        self._at = anyio.current_time()
        self._left = max(left - (self._at - begun), 0.0)
