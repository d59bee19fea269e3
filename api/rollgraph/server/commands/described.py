"""`schema` and `config`: what can be asked for, and what can be set."""

import argparse

from rollgraph.server import metricsreference, reference
from rollgraph.server.commands.settings import Commands, settings, take_settings
from rollgraph.server.commands.statuses import OK


def add(commands: Commands) -> None:
    """Adds them."""
    _add_schema(commands)
    _add_config(commands)


def _add_schema(commands: Commands) -> None:
    schema = commands.add_parser("schema", help="the GraphQL schema")
    schema_commands = schema.add_subparsers(metavar="COMMAND", required=True)
    schema_print = schema_commands.add_parser("print", help="print it in GraphQL's language")
    schema_print.add_argument(
        "--federation",
        action="store_true",
        help="as an Apollo Federation 2 subgraph, for a composition or a router",
    )
    schema_print.set_defaults(run=_schema_print)


def _add_config(commands: Commands) -> None:
    config = commands.add_parser("config", help="the settings")
    config_commands = config.add_subparsers(metavar="COMMAND", required=True)
    check = config_commands.add_parser(
        "check",
        help="check settings and kubeconfig, connect to nothing",
        description="Reads the settings as `serve` does, and the kubeconfig. Connects to nothing.",
        allow_abbrev=False,
    )
    take_settings(check)
    check.set_defaults(run=_config_check)
    described = config_commands.add_parser("reference", help="print what can be set, as Markdown")
    described.add_argument(
        "--metrics", action="store_true", help="print what is counted instead: see /metrics"
    )
    described.set_defaults(run=_config_reference)


def _schema_print(arguments: argparse.Namespace) -> int:
    from rollgraph.schema.schema import print_sdl

    print(print_sdl(subgraph=arguments.federation), end="")
    return OK


def _config_check(arguments: argparse.Namespace) -> int:
    from rollgraph.server import serve

    names = serve.check(settings(arguments))
    clusters = "1 cluster" if len(names) == 1 else f"{len(names)} clusters"
    print(f"{clusters}: {', '.join(names)}" if names else "no clusters")
    return OK


def _config_reference(arguments: argparse.Namespace) -> int:
    page = metricsreference if arguments.metrics else reference
    print(page.markdown(), end="")
    return OK
