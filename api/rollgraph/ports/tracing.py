"""One piece of work, followed through all the processes that have a part in it."""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from datetime import datetime
from enum import StrEnum

# The trace that the present work is a part of, as the header `traceparent` of W3C has it; "" if
# nobody follows it. Whoever speaks with somebody else on its behalf passes it on.
traceparent: ContextVar[str] = ContextVar("rollgraph_traceparent", default="")


class Part(StrEnum):
    """What a span has to do with others: OpenTelemetry's kinds."""

    INTERNAL = "INTERNAL"
    SERVER = "SERVER"
    CLIENT = "CLIENT"
    PRODUCER = "PRODUCER"
    CONSUMER = "CONSUMER"


class Tracing:
    """Follows work, span by span. What is declared here follows nothing, and costs nothing.

    Attributes:
        follows: Whether anything is followed.
    """

    follows = False

    def span(
        self,
        name: str,
        part: Part = Part.INTERNAL,
        *,
        parent: str = "",
        link: str = "",
        since: datetime | None = None,
        said: Mapping[str, str | int] | None = None,
    ) -> AbstractContextManager[str]:
        """A piece of work, for as long as the context lasts; gives its `traceparent`, or "".

        It is a part of what is going on around it, or of the parent. An error that leaves it is
        noted by its type's name alone, for its text may have a secret.

        Args:
            parent: The `traceparent` of what it is a part of, in another process or task.
            link: The `traceparent` of what it has to do with and is no part of: it begins a trace
                of its own. Of no use together with a parent.
            since: When it began, if that was before now.
            said: What else is known of it.
        """
        return nullcontext("")
