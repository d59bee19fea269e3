"""OpenTelemetry's SDK, which is there where `rollgraph[otel]` is installed."""

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from rollgraph.adapters.otel.tracing import OtelTracing


@contextmanager
def tracing(version: str, role: str) -> Iterator[OtelTracing]:
    """Sends spans by OTLP over HTTP, as the environment says, until left.

    A collector that does not answer costs spans and nothing else: they wait in a bounded queue,
    and another thread sends them.

    Args:
        version: Rollgraph's.
        role: What the process does.
    """
    ours = {"service.name": f"rollgraph-{role}", "service.version": version}
    resource = Resource.create(ours).merge(OTELResourceDetector().detect())
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    try:
        yield OtelTracing(provider.get_tracer("rollgraph", version))
    finally:
        provider.shutdown()
