"""What gateways tell those who listen."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from rollgraph.core.feed.entries import Position
from rollgraph.core.feed.news import Frontier, News
from rollgraph.core.feed.topics import Topic


class Listening(Protocol):
    """What waits for one listener, within bounds; as a context it ends the listening.

    All that was wanted, in order. A listener that is too slow loses the story and keeps the state:
    of several news of one rollout one is left, from how it was to how it is.
    """

    @property
    def waiting(self) -> bool:
        """Whether something waits."""

    async def wait(self) -> None:
        """Until something waits, or everybody is woken for another reason."""

    def take(self) -> News | None:
        """The next that waits; None if some were dropped, so that one has to look anew.

        `IndexError` if nothing waits.
        """

    def drain(self) -> Sequence[News | None]:
        """All that waits, which then waits no more."""

    def __enter__(self) -> "Listening": ...

    def __exit__(self, *_: object) -> None: ...


class Newsroom(Protocol):
    """What has changed in the fleet's model, told to whoever listens.

    The model comes first: whoever hears of a change finds it there.
    """

    @property
    def frontier(self) -> Frontier:
        """How far the model has come."""

    def subscribe(
        self, wanted: Callable[[News], bool], *, topics: Sequence[Topic] | None = None
    ) -> Listening:
        """Listens from now on.

        Whoever wants the state first looks at the model next, without waiting in between: then
        nothing is missed and nothing is heard twice.

        Args:
            wanted: Which news; asked at once for each, so it has to be quick.
            topics: It is asked about news of these alone; None for all.
        """

    def since(self, positions: Mapping[str, Position]) -> Sequence[News] | None:
        """All news of these spokes after their positions, in the order in which they came.

        None if some are not known any more, or a spoke is not there.
        """
