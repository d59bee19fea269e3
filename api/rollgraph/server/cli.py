"""The command line."""

import argparse
from collections.abc import Sequence
from importlib.metadata import version

from rollgraph.core.errors import BrokerError, ConfigError
from rollgraph.server.binding import PortTakenError
from rollgraph.server.commands import clusters, described, policy, remote, serving
from rollgraph.server.commands.statuses import FAILED, INTERRUPTED, MISUSED, complain


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command that the arguments name; the process's exit status."""
    arguments = parser().parse_args(argv)
    try:
        return int(arguments.run(arguments))
    except ConfigError as error:
        complain(str(error))
        if "config" in arguments:
            complain("`rollgraph serve --help` lists all settings")
        return MISUSED
    except (PortTakenError, BrokerError) as error:
        complain(str(error))
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED


def parser() -> argparse.ArgumentParser:
    """The grammar of the command line."""
    root = argparse.ArgumentParser(
        prog="rollgraph",
        description="One GraphQL endpoint over the Argo Rollouts of every Kubernetes cluster.",
        allow_abbrev=False,
    )
    root.add_argument("--version", action="version", version=f"rollgraph {version('rollgraph')}")
    commands = root.add_subparsers(metavar="COMMAND", required=True)
    for topic in (serving, remote, policy, clusters, described):
        topic.add(commands)
    return root
