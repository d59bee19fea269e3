"""Which rollouts have to be looked at again."""

from collections.abc import Iterable

from rollgraph.core.refs import ObjectKey
from rollgraph.spokes.signal import Signal


class DirtyKeys:
    """A set of rollout keys that wakes its one reader.

    Events wake, they do not inform: a key that is marked ten times before it is taken is taken
    once. So it is bounded by the number of rollouts, however many events come.
    """

    def __init__(self) -> None:
        self._keys: dict[ObjectKey, None] = {}
        self._marked = Signal()

    def __len__(self) -> int:
        return len(self._keys)

    def mark(self, keys: Iterable[ObjectKey]) -> None:
        """Adds keys."""
        idle = not self._keys
        self._keys.update(dict.fromkeys(keys))
        if idle and self._keys:
            self._marked.notify()

    def take(self) -> ObjectKey | None:
        """Removes the key that waits longest; None if there is none."""
        for key in self._keys:
            del self._keys[key]
            return key
        return None

    async def wait(self) -> None:
        """Returns once there is a key."""
        await self._marked.until(lambda: bool(self._keys))
