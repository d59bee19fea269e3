"""Answers to events that several readers get: executed once, encoded once.

A thousand browsers that look at the same rollout ask with the same document. What is selected on
an event is executed for the first of them; the others get the same bytes, each with
their own cursor in them. Readers share only if they see the same (`ports.Rights.key`), and nothing
else that is one reader's alone is ever kept.
"""

from collections import OrderedDict
from collections.abc import Hashable

from rollgraph.schema.streams.answer import Answer

# Answers and their bytes. Readers of one document get an event within a moment of each other, and a
# slow one has 256 that wait at the most; an answer has one to a few KiB, with all pods 64.
MAX_ANSWERS, MAX_BYTES = 4096, 32 * 1024 * 1024


class Sharing:
    """Answers of late, within bounds: the oldest goes first.

    Args:
        max_bytes: Bytes of answers that are kept.
        max_answers: Answers that are kept.
    """

    def __init__(self, max_bytes: int = MAX_BYTES, max_answers: int = MAX_ANSWERS) -> None:
        self._max_bytes = max_bytes
        self._max_answers = max_answers
        self._kept: OrderedDict[Hashable, Answer] = OrderedDict()
        self._size = 0

    def find(self, key: Hashable) -> Answer | None:
        """The answer to an event, by who asks for what and by the event; None if there is none."""
        return self._kept.get(key)

    def keep(self, key: Hashable, answer: Answer) -> None:
        """Keeps an answer."""
        if key in self._kept:
            return
        self._kept[key] = answer
        self._size += len(answer.json)
        while self._size > self._max_bytes or len(self._kept) > self._max_answers:
            _, gone = self._kept.popitem(last=False)
            self._size -= len(gone.json)
