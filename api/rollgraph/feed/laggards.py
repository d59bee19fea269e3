"""Listeners for whom much waits."""

from rollgraph.feed.subscription import Subscription


class Laggards:
    """Knows of each listener for whom much waits: whether to wait for it, too.

    Looking at each of a thousand listeners before each fact would take more than to tell it: so
    they say themselves when much waits, and most never do.
    """

    def __init__(self) -> None:
        # True for those for whom nobody waits any more.
        self._known: dict[Subscription, bool] = {}

    def add(self, listener: Subscription) -> None:
        """Much waits for a listener."""
        self._known.setdefault(listener, False)

    def discard(self, listener: Subscription) -> None:
        """A listener has ended."""
        self._known.pop(listener, None)

    def crowded(self, news: int) -> bool:
        """Whether somebody has no room for so many news and is to be waited for.

        So many must be more than what `Subscription` takes for much leaves free.
        """
        found = False
        for listener, left in [*self._known.items()]:
            if listener.depth <= (0 if left else listener.much):
                del self._known[listener]
            elif not left and listener.room < news:
                found = True
        return found

    def give_up(self, news: int) -> None:
        """Has nobody wait for those who have no room for so many, until nothing waits for them."""
        for listener in self._known:
            if listener.room < news:
                self._known[listener] = True
