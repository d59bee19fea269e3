"""What is compiled is kept for a while, within a bound."""

from collections import OrderedDict
from collections.abc import Callable, Hashable

from rollgraph.core.rbac.predicate import Predicate

# Patterns in all predicates together, some 400 bytes each: 40 MB at worst. A user with 500 policies
# takes 1,000 for reading and some thousands for all actions.
MAX_PATTERNS = 100_000


class Kept:
    """Predicates by key; the ones that were longest not asked go first.

    Args:
        room: How many patterns all of them may have together.
    """

    def __init__(self, room: int = MAX_PATTERNS) -> None:
        self._room = room
        self._taken = 0
        self._found: OrderedDict[Hashable, Predicate] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], Predicate]) -> Predicate:
        """The predicate of a key; made if it is not there."""
        found = self._found.get(key)
        if found is not None:
            self._found.move_to_end(key)
            return found
        made = self._found[key] = make()
        self._taken += made.weight
        while self._taken > self._room and len(self._found) > 1:
            _, gone = self._found.popitem(last=False)
            self._taken -= gone.weight
        return made

    def __len__(self) -> int:
        return len(self._found)
