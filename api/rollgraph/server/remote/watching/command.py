"""`rollgraph watch`."""

import argparse
import os
import re
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from random import Random
from typing import Any

import anyio

from rollgraph.core.errors import ConfigError
from rollgraph.server.remote.session import Session
from rollgraph.server.remote.watching.board import Board
from rollgraph.server.remote.watching.goal import Goal, Verdict
from rollgraph.server.remote.watching.screens import Json, Log, Screen, Terminal, UnreadError
from rollgraph.server.remote.watching.selection import Selection, select
from rollgraph.server.remote.watching.watch import Watching

UNREAD = 128 + 13  # as a shell has it: SIGPIPE

_TIMEOUT = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")


class _Server:
    """A session, with a token of the environment's if there is one."""

    def __init__(self, session: Session, token: str) -> None:
        self._session = session
        self._token = token

    async def ask(self, body: bytes) -> tuple[int, dict[str, Any]]:
        return await self._session.ask(body, self._token)

    def subscribe(self, body: bytes) -> AbstractAsyncContextManager[AsyncIterator[dict[str, Any]]]:
        return self._session.subscribe(body, self._token)


def run(
    arguments: argparse.Namespace, session: Session, token: str, say: Callable[[str], None]
) -> int:
    """Watches; the exit status. Raises what `Watching.run` raises, and `ConfigError`."""
    selection = select(arguments.rollouts, arguments.filter)
    timeout = None if arguments.timeout is None else _time(arguments.timeout)
    goal = _goal(arguments, selection)
    board = Board(selection.named)
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]

    async def watch(screen: Screen) -> Verdict:
        server = _Server(session, token)
        seconds = None if timeout is None else timeout.total_seconds()
        watching = Watching(server, selection, goal, board, screen, say, seconds, Random())
        return await watching.run()

    try:
        with _screen(arguments, board, timeout) as screen:
            verdict = anyio.run(watch, screen)
    except UnreadError:
        return UNREAD
    say(verdict.text)
    return int(verdict.status)


def _goal(arguments: argparse.Namespace, selection: Selection) -> Goal | None:
    if arguments.until is None:
        if arguments.image:
            raise ConfigError("--image: says what to wait for, with --until healthy")
        return None
    if any(condition.startswith("phase=") for condition in arguments.filter):
        raise ConfigError(
            "--filter phase=: not with --until, for a rollout that becomes healthy would leave"
        )
    return Goal(image=arguments.image or "", exact=selection.exact)


def _screen(arguments: argparse.Namespace, board: Board, timeout: timedelta | None) -> Screen:
    if arguments.json:
        return Json()
    if not sys.stdout.isatty() or os.environ.get("TERM") == "dumb":
        return Log(board)
    until = f" until {arguments.until}" if arguments.until else ""
    return Terminal(board, f"rollgraph watch{until}", timeout)


def _time(text: str) -> timedelta:
    """Reads `90s`, `10m` or `1h30m`. Raises `ConfigError`."""
    found = _TIMEOUT.fullmatch(text)
    hours, minutes, seconds = (int(part or 0) for part in (found.groups() if found else (0, 0, 0)))
    try:
        time = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    except OverflowError:
        time = timedelta(0)
    if not time:
        raise ConfigError(f"--timeout: expected a time such as 90s, 10m or 1h30m; got {text!r}")
    return time
