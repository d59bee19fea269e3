"""What a spoke allows us, remembered for a while."""

from collections import OrderedDict

import anyio

from rollgraph.ports import AccessQuestion, Patcher

# Seconds. A right that Rollgraph is given on a spoke, or that is taken away, counts after that.
REMEMBERED = 300.0
# Questions about one spoke: some for Rollgraph itself, and, where it may only be certain people,
# one for each of them and of their groups. Beyond, the least recently asked is asked again.
MAX_QUESTIONS = 2000


class Allowances:
    """The answers of one spoke. Each is asked for once at a time."""

    def __init__(self) -> None:
        self._known: OrderedDict[AccessQuestion, tuple[float, bool]] = OrderedDict()
        self._lock = anyio.Lock()

    async def may(self, question: AccessQuestion, patcher: Patcher) -> bool:
        """Whether we may; asks the spoke if need be, and raises if it does not answer."""
        async with self._lock:
            known = self._known.get(question)
            if known is None or known[0] < anyio.current_time():
                allowed = await patcher.may(question)
                known = (anyio.current_time() + REMEMBERED, allowed)
                self._known[question] = known
            self._known.move_to_end(question)
            if len(self._known) > MAX_QUESTIONS:
                self._known.popitem(last=False)
            return known[1]

    def forget(self) -> None:
        """Asks everything again: the spoke has refused what it had allowed."""
        self._known.clear()
