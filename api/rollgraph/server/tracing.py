"""Whether work is followed, by the environment that OpenTelemetry's SDK knows."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from importlib.util import find_spec
from urllib.parse import urlsplit

import structlog

from rollgraph.ports import Tracing

_log = structlog.get_logger(__name__)

# Any of these says where spans are to go. The SDK and its exporter read the rest themselves:
# OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES, OTEL_TRACES_SAMPLER, OTEL_EXPORTER_OTLP_HEADERS, ...
ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")


def wanted(environ: Mapping[str, str]) -> bool:
    """Whether the environment says where spans are to go, and not that there are to be none."""
    off = environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    none = environ.get("OTEL_TRACES_EXPORTER", "").strip().lower() == "none"
    return not off and not none and any(environ.get(name, "").strip() for name in ENDPOINTS)


@contextmanager
def opened(environ: Mapping[str, str], role: str) -> Iterator[Tracing]:
    """Who follows work, until left; then what is not sent yet is.

    Where the SDK is not installed nothing is followed, and that is said: the environment may have
    been made for all pods, and is no reason not to serve.
    """
    if not wanted(environ):
        yield Tracing()
        return
    if find_spec("opentelemetry.exporter") is None or find_spec("opentelemetry.sdk") is None:
        _log.warning(
            "nothing_traced",
            reason=f"{ENDPOINTS[1]} is set, but OpenTelemetry's SDK is not installed: install"
            " rollgraph[otel], or unset it",
        )
        yield Tracing()
        return
    from rollgraph.adapters.otel.sdk import tracing

    with tracing(version("rollgraph"), role) as made:
        there = urlsplit(next(environ[name] for name in ENDPOINTS if environ.get(name)))
        _log.info("tracing", to=f"{there.hostname}:{there.port or ''}")  # it may hold a password
        yield made
