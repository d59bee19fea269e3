"""Traces, told with OpenTelemetry's API."""

from rollgraph.adapters.otel.tracing import OtelTracing

__all__ = ["OtelTracing"]
