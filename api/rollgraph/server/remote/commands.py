"""`rollgraph login`, `logout`, `query` and `watch`."""

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import orjson

from rollgraph.core.errors import (
    BadRequestError,
    ConfigError,
    IdentityProviderError,
    RemoteError,
    UnauthenticatedViewerError,
)
from rollgraph.server.remote.logins import Logins, home
from rollgraph.server.remote.session import Session

OK = 0
FAILED = 1
# Of `watch`, for which 1 says that a rollout is not healthy.
MISUSED = 2
UNREACHED = 3

# Where `rollgraph serve` listens by default.
DEFAULT = "http://127.0.0.1:8000"

Say = Callable[[str], None]


def login(arguments: argparse.Namespace, say: Say) -> int:
    """Logs in at a server."""
    session = _session(arguments)
    return _attempt(lambda: anyio.run(session.log_in, say), session, say)


def logout(arguments: argparse.Namespace, say: Say) -> int:
    """Forgets a login."""
    logins = Logins(home(os.environ))
    server = _server(arguments, logins)
    with logins.locked():
        known = logins.drop(server)
    say(f"You are logged out of {server}." if known else f"You were not logged in to {server}.")
    return OK


def query(arguments: argparse.Namespace, say: Say) -> int:
    """Asks a server and prints its answer."""
    session = _session(arguments)
    body = orjson.dumps({"query": _document(arguments.query), "variables": _variables(arguments)})
    token = os.environ.get("ROLLGRAPH_TOKEN", "")

    def ask() -> int:
        status, answer = anyio.run(session.ask, body, token)
        sys.stdout.write(orjson.dumps(answer, option=orjson.OPT_INDENT_2).decode() + "\n")
        if status == 401:
            say(_again(session, "the server does not know you"))
        return FAILED if answer.get("errors") or status != 200 else OK

    return _attempt(ask, session, say)


def watch(arguments: argparse.Namespace, say: Say) -> int:
    """Shows what happens to rollouts, and waits for them if asked to."""
    from rollgraph.server.remote.watching import command

    session = _session(arguments)
    token = os.environ.get("ROLLGRAPH_TOKEN", "")
    try:
        return _attempt(
            lambda: command.run(arguments, session, token, say), session, say, UNREACHED
        )
    except BadRequestError as error:
        say(str(error))
        return MISUSED


def _attempt(
    run: Callable[[], int | None], session: Session, say: Say, failed: int = FAILED
) -> int:
    try:
        return run() or OK
    except UnauthenticatedViewerError as error:
        say(_again(session, str(error)))
    except (IdentityProviderError, RemoteError) as error:
        say(str(error))
    return failed


def _again(session: Session, reason: str) -> str:
    return f"{reason}: log in with `rollgraph login --server {session.server}`"


def _session(arguments: argparse.Namespace) -> Session:
    logins = Logins(home(os.environ))
    ca_file = None if arguments.ca_file is None else Path(arguments.ca_file)
    return Session(_server(arguments, logins), logins, ca_file)


def _server(arguments: argparse.Namespace, logins: Logins) -> str:
    """The server that is meant: named, or the only one that the user is logged in to."""
    named = arguments.server or os.environ.get("ROLLGRAPH_SERVER", "")
    if not named:
        known = list(logins.all())
        if len(known) > 1:
            raise ConfigError(f"--server: expected one of {', '.join(sorted(known))}; got none")
        named = known[0] if known else DEFAULT
    return str(named).rstrip("/").removesuffix("/graphql")


def _document(given: str) -> str:
    """A document: as it stands, of a file, or of standard input for `-`."""
    if "{" in given:
        return given
    try:
        return sys.stdin.read() if given == "-" else Path(given).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise ConfigError(
            f"{given}: cannot be read: {reason}; expected a query or a file"
        ) from error


def _variables(arguments: argparse.Namespace) -> dict[str, Any]:
    """`--var name=value`: the value is JSON if it can be read so, else the text itself."""
    variables: dict[str, Any] = {}
    for given in arguments.var or ():
        name, equals, text = given.partition("=")
        if not equals or not name:
            raise ConfigError(f"--var: expected NAME=VALUE; got {given!r}")
        try:
            variables[name] = orjson.loads(text)
        except orjson.JSONDecodeError:
            variables[name] = text
    return variables
