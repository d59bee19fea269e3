"""What all tests have in common."""

import asyncio

import structlog


def pytest_configure() -> None:
    """Sets up what is there once in a process."""
    # looptime asks for the current loop in plain tests too. While none was ever set, Python makes
    # one on demand, which nobody closes: a warning, and so an error, of whatever runs then.
    asyncio.set_event_loop(None)
    # structlog's default prints local variables through rich where that is installed: slow, and it
    # can fail. The product never prints them.
    plain = structlog.dev.ConsoleRenderer(
        colors=False, exception_formatter=structlog.dev.plain_traceback
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            plain,
        ]
    )
