"""Whole answers, kept for as long as no rollout changes.

Dashboards ask the same again and again. An answer that depends on nothing but the rollouts is the
same until one of them changes, so it is kept as it was sent, by the bytes of the question and by
what its caller sees. With 50 changes a second and a thousand requests, nineteen of twenty are
answered from here; the next after a change is put together from `rollgraph.schema.fragments`.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import NamedTuple

from starlette.responses import Response

# Bytes of answers. A list of 200 rollouts with 14 fields has some 100 KiB.
MAX_BYTES = 32 * 1024 * 1024


class Question(NamedTuple):
    """All of a request that an answer depends on, beside the fleet.

    Attributes:
        audience: Who may hear the answer: equal for callers who see the same (`ports.Rights.key`).
    """

    audience: Hashable
    accept: str
    content_type: str
    body: bytes


class _Answer(NamedTuple):
    version: int
    headers: dict[str, str]
    body: bytes


class Answers:
    """Keeps answers, within bounds: the least recently used goes first.

    Args:
        version: The version of the fleet; an answer of another one is of no use.
        max_bytes: Bytes of questions and answers that are kept.

    Attributes:
        hits, misses: How often an answer was asked for and was there, or was not.
    """

    def __init__(self, version: Callable[[], int], max_bytes: int = MAX_BYTES) -> None:
        self.version = version
        self._max_bytes = max_bytes
        self._kept: OrderedDict[Question, _Answer] = OrderedDict()
        self.size = 0
        self.hits = self.misses = 0

    def find(self, question: Question) -> Response | None:
        """The answer to a question, if it was given since the last change."""
        found = self._kept.get(question)
        if found is None or found.version != self.version():
            self.misses += 1
            self._drop(question)
            return None
        self.hits += 1
        self._kept.move_to_end(question)
        return Response(found.body, headers=found.headers)

    def keep(self, question: Question, version: int, response: Response) -> None:
        """Keeps an answer that was given at a version of the fleet."""
        body = bytes(response.body)
        self._drop(question)
        if len(question.body) + len(body) > self._max_bytes:
            return
        # Starlette counts the length anew; the request's id and cookies are not the answer's.
        headers = {"content-type": response.headers["content-type"]}
        self._kept[question] = _Answer(version, headers, body)
        self.size += len(question.body) + len(body)
        while self.size > self._max_bytes:
            self._drop(next(iter(self._kept)))

    def _drop(self, question: Question) -> None:
        gone = self._kept.pop(question, None)
        if gone is not None:
            self.size -= len(question.body) + len(gone.body)
