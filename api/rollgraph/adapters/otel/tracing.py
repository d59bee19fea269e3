"""Spans of OpenTelemetry."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, SpanKind, Status, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from rollgraph.ports import Tracing
from rollgraph.ports.tracing import Part, traceparent

_HEADER = "traceparent"
_W3C = TraceContextTextMapPropagator()
_KINDS = {part: SpanKind[part] for part in Part}


class OtelTracing(Tracing):
    """A `ports.Tracing` that tells a tracer.

    Args:
        tracer: Whoever made it sees to where the spans go.
    """

    follows = True

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    @contextmanager
    def span(
        self,
        name: str,
        part: Part = Part.INTERNAL,
        *,
        parent: str = "",
        link: str = "",
        since: datetime | None = None,
        said: Mapping[str, str | int] | None = None,
    ) -> Iterator[str]:
        """See `ports.Tracing`. A parent or link that makes no sense is none."""
        span = self._tracer.start_span(
            name,
            Context() if link else _context(parent),
            _KINDS[part],
            links=_links(link),
            attributes={key: value for key, value in (said or {}).items() if value != ""},
            start_time=None if since is None else int(since.timestamp() * 1e9),
        )
        with trace.use_span(
            span, end_on_exit=True, record_exception=False, set_status_on_exception=False
        ):
            carrier: dict[str, str] = {}
            _W3C.inject(carrier)
            before = traceparent.set(carrier.get(_HEADER, ""))
            try:
                yield traceparent.get()
            except Exception as error:
                span.set_status(Status(StatusCode.ERROR, type(error).__name__))
                raise
            finally:
                traceparent.reset(before)


def _context(parent: str) -> Context | None:
    """What a span is a part of; None for what goes on around it."""
    return _W3C.extract({_HEADER: parent}, Context()) if parent else None


def _links(traceparent_: str) -> list[Link]:
    other = trace.get_current_span(_context(traceparent_) or Context()).get_span_context()
    return [Link(other)] if other.is_valid else []
