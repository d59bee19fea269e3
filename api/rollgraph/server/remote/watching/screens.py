"""Where it is shown: a terminal, a log, or another program."""

import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Protocol, Self

from rollgraph.core.errors import RollgraphError
from rollgraph.core.refs import RolloutRef
from rollgraph.server.remote.watching.board import Board
from rollgraph.server.remote.watching.goal import Verdict
from rollgraph.server.remote.watching.lines import json_event, json_verdict, line, stamped

Clock = Callable[[], datetime]
Write = Callable[[str], None]


def utc_now() -> datetime:
    """The time."""
    return datetime.now(UTC)


class UnreadError(RollgraphError):
    """Whoever read what is written has gone, as `head` does."""


def write(text: str) -> None:
    """Writes a line to standard output at once: whoever reads it waits for it.

    Raises `UnreadError`.
    """
    try:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
    except BrokenPipeError as error:
        # Python would try again when it ends, and complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise UnreadError("nobody reads the output any more") from error


class Screen(Protocol):
    """Shows what is known. It is open within a `with` block."""

    def __enter__(self) -> Self:
        """Opens it."""
        ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leaves it as it is to stay."""
        ...

    def hear(self, told: dict[str, Any]) -> None:
        """An event was told, which the board knows already."""
        ...

    def look(self) -> None:
        """Time goes by, or the board has changed."""
        ...

    def end(self, verdict: Verdict) -> None:
        """It is over."""
        ...


class _Plain:
    """Has nothing to open or close."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        pass


class Log(_Plain):
    """A line for each rollout whenever there is something new about it."""

    def __init__(self, board: Board, write: Write = write, now: Clock = utc_now) -> None:
        self._board = board
        self._write = write
        self._now = now
        self._written: dict[RolloutRef, str] = {}

    def hear(self, told: dict[str, Any]) -> None:
        """An event was told."""
        self.look()

    def look(self) -> None:
        """Writes what is new."""
        for ref in sorted({*self._board.rollouts, *self._written}):
            text = line(self._board, ref)
            if self._written.get(ref, "") != text:
                self._write(stamped(text, self._now()))
                self._written[ref] = text
        for ref in self._written.keys() - self._board.rollouts.keys():
            del self._written[ref]

    def end(self, verdict: Verdict) -> None:
        """Nothing more is to be said."""


class Json(_Plain):
    """A line of JSON for each event, and one for the end."""

    def __init__(self, write: Write = write, now: Clock = utc_now) -> None:
        self._write = write
        self._now = now

    def hear(self, told: dict[str, Any]) -> None:
        """Writes an event."""
        self._write(json_event(told))

    def look(self) -> None:
        """Nothing is to be said of time."""

    def end(self, verdict: Verdict) -> None:
        """Writes how it ended."""
        self._write(json_verdict(verdict, self._now()))


class Terminal:
    """A picture that stays in its place.

    Args:
        title: What stands above it, before the time.
        timeout: The time there is; None for ever.
    """

    def __init__(
        self, board: Board, title: str, timeout: timedelta | None, now: Clock = utc_now
    ) -> None:
        from rich.console import Console
        from rich.live import Live

        self._board = board
        self._title = title
        self._timeout = timeout
        self._now = now
        self._began = now()
        self._console = Console(highlight=False)
        # What is said on the same terminal meanwhile is shown above it.
        self._live = Live(
            console=self._console, auto_refresh=False, redirect_stderr=sys.stderr.isatty()
        )

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._live.stop()

    def hear(self, told: dict[str, Any]) -> None:
        """Nothing: it looks often enough by itself, however much is told."""

    def look(self) -> None:
        """Draws it anew."""
        from rollgraph.server.remote.watching.picture import clock, picture

        now = self._now()
        time = clock(now - self._began)
        if self._timeout is not None:
            time += f" of {clock(self._timeout)}"
        title = f"{self._title}  {time}"
        self._live.update(picture(self._board, now, self._console.size, title), refresh=True)

    def end(self, verdict: Verdict) -> None:
        """Shows how it was in the end."""
        self.look()
