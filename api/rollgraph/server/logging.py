"""What is written to standard error: one line a message, ours and the libraries' alike."""

import logging
import sys
from collections.abc import Callable, Sequence
from typing import Any

import orjson
import structlog
from structlog.stdlib import ProcessorFormatter
from structlog.typing import EventDict, Processor

from rollgraph.server.settings import Log, LogFormat

# What they say at INFO (started, stopping) is said by `serve`, with more sense.
_QUIET = ("uvicorn", "asyncio")

_SHARED: Sequence[Processor] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)


def configure(log: Log) -> None:
    """Sets up all logging of the process. Call it once, before anything is logged."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        ProcessorFormatter(
            foreign_pre_chain=[*_SHARED, structlog.stdlib.ExtraAdder()],
            processors=[ProcessorFormatter.remove_processors_meta, *_renderers(log.format)],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(log.level.upper())
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_SHARED,
            ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
    )


def _renderers(form: LogFormat) -> list[Processor]:
    # Tracebacks are plain text in both. structlog's richer forms show local variables, and those
    # of a failed connection hold credentials.
    if form is LogFormat.JSON:
        return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(_json)]
    return [
        structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    ]


def _json(event: EventDict, *, default: Callable[[Any], Any]) -> str:
    return orjson.dumps(event, default=default).decode()
