"""What came before the rollout that it belongs to, which another watch is to bring."""

from collections import deque
from collections.abc import Callable, Iterator

from rollgraph.core.refs import Kind, ObjectKey

# An owner is made before what it owns, so its own watch brings it within moments. What still has
# none when it has aged so often belongs to nothing that is watched: to a rollout that is gone, or
# to an experiment of somebody's own.
AGES = 3
# More is not kept beside a feed. A full list of a large spoke brings more at first, until they have
# aged.
MOST = 500


class StrayKeys:
    """Where objects are held that were in no view when they came."""

    def __init__(self) -> None:
        self._ages: deque[dict[tuple[Kind, ObjectKey], None]] = deque([{}], maxlen=AGES)

    def __len__(self) -> int:
        return sum(len(age) for age in self._ages)

    def __iter__(self) -> Iterator[tuple[Kind, ObjectKey]]:
        for age in self._ages:
            yield from age

    def note(self, kind: Kind, key: ObjectKey) -> None:
        """Something came that no rollout is known of."""
        self._ages[-1][kind, key] = None

    def settle(self, found: Callable[[Kind, ObjectKey], bool]) -> None:
        """Forgets those of which something says that their rollout has come, or they have gone."""
        for age in self._ages:
            for place in [place for place in age if found(*place)]:
                del age[place]

    def age(self) -> None:
        """Some seconds have passed: forgets what has been here for long."""
        self._ages.append({})
