"""`serve`, `worker`, `gateway` and `demo`: what goes on until it is stopped."""

import argparse
import os

from rollgraph.server import sources
from rollgraph.server.commands.settings import Commands, described, settings, take_settings
from rollgraph.server.commands.statuses import FAILED, complain
from rollgraph.server.settings import every


def add(commands: Commands) -> None:
    """Adds them."""
    serve = commands.add_parser(
        "serve",
        help="watch the clusters of a kubeconfig and answer GraphQL about them",
        description="Watches the clusters of a kubeconfig and answers GraphQL about their "
        "rollouts. A flag goes before its environment variable, which goes before the file.",
        allow_abbrev=False,
    )
    take_settings(serve)
    serve.set_defaults(run=_serve, role="serve")
    _add_parts(commands)
    _add_demo(commands)


def _add_parts(commands: Commands) -> None:
    """The two parts of `serve`, each as a process of its own; they meet on Redis."""
    for name, text, description in (
        (
            "worker",
            "only watch clusters, for gateways on the same Redis",
            "Watches a share of the clusters, and tells gateways by Redis. Answers no GraphQL. "
            "Several workers share the clusters; when one ends, the others take over its own.",
        ),
        (
            "gateway",
            "only answer GraphQL, about what workers on the same Redis watch",
            "Answers GraphQL about what workers watch, and acts. It watches no cluster, but needs "
            "the same kubeconfig: actions go straight to the clusters.",
        ),
    ):
        part = commands.add_parser(name, help=text, description=description, allow_abbrev=False)
        take_settings(part)
        part.set_defaults(run=_serve, role=name)


def _add_demo(commands: Commands) -> None:
    demo = commands.add_parser(
        "demo",
        help="serve simulated clusters: a try without a cluster of one's own",
        description="Serves clusters that do not exist. They are simulated on this machine: API "
        "servers on loopback and a small Rollouts controller, which plays canaries and blue-green "
        "rollouts of an invented company in a loop. Nothing is installed, and no real cluster is "
        "touched.",
        allow_abbrev=False,
    )
    port = next(setting for setting in every() if setting.path == "http.port")
    demo.add_argument(port.flag, dest=port.path, metavar=port.value, help=described(port))
    for flag, kind, default, text in (
        ("--spokes", _count, 3, "simulated clusters"),
        ("--rollouts", _count, 12, "rollouts, dealt in turn to the clusters"),
        ("--rate", _rate, 6.0, "new versions a minute, over all clusters; 0 for none"),
        ("--seed", int, 1, "the same seed tells the same story"),
    ):
        demo.add_argument(
            flag,
            type=kind,
            default=default,
            metavar=flag.strip("-").upper(),
            help=f"{text} (default: {default:g})",
        )
    demo.set_defaults(run=_demo)


def _count(text: str) -> int:
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError(f"expected 1 or more; got {text}")
    return number


def _rate(text: str) -> float:
    number = float(text)
    if not 0 <= number < float("inf"):
        raise argparse.ArgumentTypeError(f"expected a number of 0 or more; got {text}")
    return number


def _serve(arguments: argparse.Namespace) -> int:
    from rollgraph.server import serve
    from rollgraph.server.sharing import Role

    return serve.run(settings(arguments), Role(arguments.role))


def _demo(arguments: argparse.Namespace) -> int:
    from rollgraph.server import demo
    from rollgraph.simulation.fleet import Plan

    # Those of spokes are for real clusters: none of them may get into a demo.
    environ = {name: text for name, text in os.environ.items() if "_SPOKES__" not in name}
    settings = sources.load(vars(arguments), environ)
    plan = Plan(arguments.spokes, arguments.rollouts, arguments.rate, arguments.seed)
    try:
        return demo.run(settings, plan, complain)
    except demo.SimulationError as error:
        complain(str(error))
        return FAILED
