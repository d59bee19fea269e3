"""The command line."""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rollgraph.core.errors import ConfigError
from rollgraph.server import reference, sources
from rollgraph.server.binding import PortTakenError
from rollgraph.server.settings import Setting, Settings, every, groups

OK = 0
FAILED = 1
MISUSED = 2  # as argparse has it
INTERRUPTED = 128 + 2  # as a shell has it


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command that the arguments name; the process's exit status."""
    arguments = parser().parse_args(argv)
    try:
        return int(arguments.run(arguments))
    except ConfigError as error:
        _complain(str(error))
        _complain("`rollgraph serve --help` lists all settings")
        return MISUSED
    except PortTakenError as error:
        _complain(str(error))
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED


def _complain(text: str) -> None:
    for line in text.splitlines():
        print(f"rollgraph: {line}", file=sys.stderr)


def parser() -> argparse.ArgumentParser:
    """The grammar of the command line."""
    root = argparse.ArgumentParser(
        prog="rollgraph",
        description="One GraphQL endpoint over the Argo Rollouts of every Kubernetes cluster.",
        allow_abbrev=False,
    )
    root.add_argument("--version", action="version", version=f"rollgraph {version('rollgraph')}")
    commands = root.add_subparsers(metavar="COMMAND", required=True)

    serve = commands.add_parser(
        "serve",
        help="watch the clusters of a kubeconfig and answer GraphQL about them",
        description="Watches the clusters of a kubeconfig and answers GraphQL about their "
        "rollouts. A flag goes before its environment variable, which goes before the file.",
        allow_abbrev=False,
    )
    _take_settings(serve)
    serve.set_defaults(run=_serve)

    schema = commands.add_parser("schema", help="the GraphQL schema")
    schema_commands = schema.add_subparsers(metavar="COMMAND", required=True)
    schema_print = schema_commands.add_parser("print", help="print it in GraphQL's language")
    schema_print.add_argument(
        "--federation",
        action="store_true",
        help="as an Apollo Federation 2 subgraph, for a composition or a router",
    )
    schema_print.set_defaults(run=_schema_print)

    config = commands.add_parser("config", help="the settings")
    config_commands = config.add_subparsers(metavar="COMMAND", required=True)
    check = config_commands.add_parser(
        "check",
        help="check settings and kubeconfig, connect to nothing",
        description="Reads the settings as `serve` does, and the kubeconfig. Connects to nothing.",
        allow_abbrev=False,
    )
    _take_settings(check)
    check.set_defaults(run=_config_check)
    described = config_commands.add_parser("reference", help="print what can be set, as Markdown")
    described.set_defaults(run=_config_reference)
    return root


def _take_settings(command: argparse.ArgumentParser) -> None:
    command.add_argument("--config", metavar="FILE", help="a YAML file of settings")
    titled = {
        name: command.add_argument_group(name, (group.__doc__ or "").partition("\n")[0])
        for name, group in groups().items()
    }
    for setting in every():
        shape: dict[str, Any] = {"metavar": setting.value}
        if setting.switch:
            shape = {"action": argparse.BooleanOptionalAction, "default": None}
        elif setting.many:
            shape["action"] = "append"
        titled[setting.group].add_argument(
            setting.flag, dest=setting.path, help=_help(setting), **shape
        )


def _help(setting: Setting) -> str:
    again = " May be given several times." if setting.many else ""
    default = "" if setting.many else f" (default: {setting.default})"
    # argparse formats the text with %.
    text = f"{setting.field.description}{again}{default} [{setting.env}]"
    return text.replace("`", "").replace("%", "%%")


def _settings(arguments: argparse.Namespace) -> Settings:
    file = None if arguments.config is None else Path(arguments.config)
    return sources.load(vars(arguments), os.environ, file)


# What a command needs is imported when it runs: `--help` need not wait for a GraphQL library.


def _serve(arguments: argparse.Namespace) -> int:
    from rollgraph.server import serve

    return serve.run(_settings(arguments))


def _schema_print(arguments: argparse.Namespace) -> int:
    from rollgraph.schema.schema import print_sdl

    print(print_sdl(subgraph=arguments.federation), end="")
    return OK


def _config_check(arguments: argparse.Namespace) -> int:
    from rollgraph.server import serve

    names = serve.check(_settings(arguments))
    clusters = "1 cluster" if len(names) == 1 else f"{len(names)} clusters"
    print(f"{clusters}: {', '.join(names)}" if names else "no clusters")
    return OK


def _config_reference(_: argparse.Namespace) -> int:
    print(reference.markdown(), end="")
    return OK
