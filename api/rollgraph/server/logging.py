"""What is written to standard error: one line a message, ours and the libraries' alike."""

import json
import logging
import logging.handlers
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import orjson
import structlog
from structlog.stdlib import ProcessorFormatter
from structlog.typing import EventDict, Processor

from rollgraph.core.errors import ConfigError
from rollgraph.core.texts import one_line
from rollgraph.ports.tracing import traceparent
from rollgraph.server.settings import Log, LogFormat

# Has a level of its own, so that none of `LogLevel` mutes the audit.
AUDIT_LOGGER = "rollgraph.audit"

# What they say at INFO (started, stopping) is said by `serve`, with more sense; at DEBUG the HTTP
# client would write the headers of identity providers, with codes and cookies.
_QUIET = ("uvicorn", "asyncio", "httpx2", "httpcore2")


def _with_trace(_: object, __: str, event: EventDict) -> EventDict:
    """Names the trace that a line is about, where one is followed."""
    if followed := traceparent.get():
        event["trace_id"] = followed.split("-")[1]
    return event


# What uvicorn 0.54 calls an error each time that a WebSocket's handshake was refused with a status,
# as it is to a thousand clients that come back while a gateway stops.
_REFUSED = "ASGI callable returned without completing handshake."


def _no_refusal(record: logging.LogRecord) -> bool:
    return record.msg != _REFUSED


_SHARED: Sequence[Processor] = (
    structlog.contextvars.merge_contextvars,
    _with_trace,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)


def configure(log: Log, audit_file: Path | None = None) -> None:
    """Sets up all logging of the process. Call it once, before anything is logged.

    Raises `ConfigError` if the audit's file cannot be written.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_formatter(log.format))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(log.level.upper())
    _audit(audit_file)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("uvicorn.error").addFilter(_no_refusal)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_SHARED,
            ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
    )


class AuditFile(logging.handlers.WatchedFileHandler):
    """A file that the audit's lines are appended to, and that may be moved away at any time.

    A line that cannot be written goes to standard error instead.

    Args:
        path: The file. One that is made here can be read by its owner and group alone.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, encoding="utf-8")
        self.setFormatter(_formatter(LogFormat.JSON))

    def emit(self, record: logging.LogRecord) -> None:
        """Appends a line, to a new file if the old one was moved away."""
        try:
            super().emit(record)
        except OSError:  # from opening it again, which comes before where logging expects errors
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:
        """Says that and why a line is not in the file, and what it is."""
        error = sys.exception()
        logging.getLogger().handle(record)
        structlog.get_logger(__name__).error(
            "audit_file_unwritable", file=self.baseFilename, error=str(error)
        )

    def _open(self) -> Any:
        return open(self.baseFilename, self.mode, encoding=self.encoding, opener=_private)


def _private(path: str, flags: int) -> int:
    """Opens a file as `AuditFile` promises: it tells of people."""
    return os.open(path, flags, 0o640)


def _audit(file: Path | None) -> None:
    logger = logging.getLogger(AUDIT_LOGGER)
    logger.setLevel(logging.INFO)
    logger.handlers = []
    logger.propagate = file is None
    if file is None:
        return
    try:
        logger.addHandler(AuditFile(file))
    except OSError as error:
        raise ConfigError(
            f"audit.file (--audit-file): {file}: {error.strerror}; expected a file that can be"
            f" written, in a folder that exists"
        ) from error


def _formatter(form: LogFormat) -> ProcessorFormatter:
    return ProcessorFormatter(
        foreign_pre_chain=[*_SHARED, structlog.stdlib.ExtraAdder()],
        processors=[ProcessorFormatter.remove_processors_meta, *_renderers(form)],
    )


def _renderers(form: LogFormat) -> list[Processor]:
    # Tracebacks are plain text in both. structlog's richer forms show local variables, and those
    # of a failed connection hold credentials.
    if form is LogFormat.JSON:
        return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(_json)]
    return [
        _one_line,
        structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        ),
    ]


def _one_line(_: object, __: str, event: EventDict) -> EventDict:
    """Keeps a message one line of the terminal, whatever strangers have put into it."""
    for name, value in event.items():
        if isinstance(value, str):
            event[name] = one_line(value)
    return event


def _json(event: EventDict, *, default: Callable[[Any], Any]) -> str:
    """One line of JSON, in which nothing acts on a terminal either."""
    try:
        text = orjson.dumps(event, default=default).decode()
    except TypeError:  # half of a character, which JSON can write and UTF-8 cannot
        return json.dumps(event, default=default)
    # JSON escapes few of the characters that do not print, but all others may be escaped.
    return text if text.isprintable() else json.dumps(orjson.loads(text))
