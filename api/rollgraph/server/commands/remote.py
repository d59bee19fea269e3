"""`login`, `logout`, `query` and `watch`: a Rollgraph elsewhere."""

import argparse

from rollgraph.server.commands.settings import Commands
from rollgraph.server.commands.statuses import complain


def add(commands: Commands) -> None:
    """Adds them."""
    login = commands.add_parser(
        "login",
        help="log in to a Rollgraph, for `query` and `watch`",
        description="Logs in to a Rollgraph: shows a code to confirm in a browser, on this or any "
        "other machine. The login is kept in a file that only you can read.",
        allow_abbrev=False,
    )
    login.set_defaults(run=_login)
    logout = commands.add_parser("logout", help="forget a login", allow_abbrev=False)
    logout.set_defaults(run=_logout)
    query = commands.add_parser(
        "query",
        help="ask a Rollgraph and print its answer",
        description="Asks a Rollgraph and prints its answer as JSON. Ends with status 1 if that "
        "has errors. $ROLLGRAPH_TOKEN, if set, is sent instead of a login's token.",
        allow_abbrev=False,
    )
    query.add_argument(
        "query",
        nargs="?",
        default="-",
        metavar="FILE|-|QUERY",
        help="a file, - for standard input, or the query itself (default: -)",
    )
    query.add_argument(
        "--var",
        action="append",
        metavar="NAME=VALUE",
        help="a variable; the value is JSON, or else a text. May be given several times.",
    )
    query.set_defaults(run=_query)
    watch = _add_watch(commands)
    for command in (login, logout, query, watch):
        command.add_argument(
            "--server",
            metavar="URL",
            help="the Rollgraph (default: $ROLLGRAPH_SERVER, else the one you are logged in to, "
            "else http://127.0.0.1:8000)",
        )
        command.add_argument(
            "--ca-file",
            metavar="FILE",
            help="certificates, in PEM, of authorities to believe besides the system's",
        )


def _add_watch(
    commands: Commands,
) -> argparse.ArgumentParser:
    watch = commands.add_parser(
        "watch",
        help="show what happens to rollouts, and wait until they are healthy",
        description="Shows live what happens to rollouts: a picture at a terminal, else lines. "
        "Goes on when connections break. With --until healthy it ends with status 0 once all are "
        "Healthy and 1 as soon as one is Degraded, aborted or gone; with 124 when the time is "
        "over, 2 for what makes no sense, 3 if the server cannot be reached or does not let you.",
        allow_abbrev=False,
    )
    watch.add_argument(
        "rollouts",
        nargs="*",
        metavar="CLUSTER/NAMESPACE/NAME",
        help="which rollouts; each part may be a glob (default: all)",
    )
    watch.add_argument(
        "--filter",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="only those whose cluster, namespace, name, image (globs), labels (a selector), phase "
        "or strategy is so. May be given several times: one key again is another value for it.",
    )
    watch.add_argument("--until", choices=["healthy"], help="wait for it, then end")
    watch.add_argument(
        "--image",
        metavar="IMAGE",
        help="with --until: only once they are to run this image, such as api:2.1.0",
    )
    watch.add_argument(
        "--timeout", metavar="TIME", help="end after 90s, 10m or 1h30m (default: never)"
    )
    watch.add_argument("--json", action="store_true", help="a line of JSON for each event")
    watch.set_defaults(run=_watch)
    return watch


def _login(arguments: argparse.Namespace) -> int:
    from rollgraph.server.remote import commands

    return commands.login(arguments, complain)


def _logout(arguments: argparse.Namespace) -> int:
    from rollgraph.server.remote import commands

    return commands.logout(arguments, complain)


def _query(arguments: argparse.Namespace) -> int:
    from rollgraph.server.remote import commands

    return commands.query(arguments, complain)


def _watch(arguments: argparse.Namespace) -> int:
    from rollgraph.server.remote import commands

    return commands.watch(arguments, complain)
