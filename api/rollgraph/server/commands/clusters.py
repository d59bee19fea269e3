"""`spoke` and `doctor`: the clusters that are watched, and what they lack."""

import argparse

from rollgraph.core.errors import ConfigError
from rollgraph.core.identity import IdentityMode
from rollgraph.core.spokerights import NAME, Wanted
from rollgraph.server.commands.settings import Commands, settings, take_settings
from rollgraph.server.commands.statuses import OK


def add(commands: Commands) -> None:
    """Adds them."""
    _add_spoke(commands)
    _add_doctor(commands)


def _add_spoke(commands: Commands) -> None:
    spoke = commands.add_parser("spoke", help="the clusters that are watched")
    spoke_commands = spoke.add_subparsers(metavar="COMMAND", required=True)
    manifest = spoke_commands.add_parser(
        "manifest",
        help="print the rights that Rollgraph needs on a cluster, to apply there",
        description="Prints a ServiceAccount for Rollgraph and the least rights that it needs on a "
        "cluster, for `kubectl apply -f -`. Connects to nothing.",
        allow_abbrev=False,
    )
    manifest.add_argument(
        "--identity",
        type=IdentityMode,
        choices=list(IdentityMode),
        default=IdentityMode.IMPERSONATE,
        metavar="MODE",
        help="as whom it acts: " + ", ".join(IdentityMode) + " (default: impersonate)",
    )
    manifest.add_argument(
        "--read-only", action="store_true", help="without the right to act: to read alone"
    )
    manifest.add_argument(
        "--home",
        default=NAME,
        metavar="NAMESPACE",
        help=f"the namespace of the ServiceAccount (default: {NAME})",
    )
    for flag, value, text in (
        ("--namespace", "NAME", "a namespace to watch and act in (default: all)"),
        ("--user", "NAME", "a user whom it may impersonate (default: nobody)"),
        ("--group", "NAME", "a group that it may impersonate with them (default: none)"),
    ):
        again = f"{text}. May be given several times."
        manifest.add_argument(flag, action="append", default=[], metavar=value, help=again)
    for flag, text in (
        ("--any-user", "it may impersonate any user: about as much as everything"),
        ("--any-group", "it may impersonate any group: everything"),
    ):
        manifest.add_argument(flag, action="store_true", help=text)
    manifest.set_defaults(run=_spoke_manifest)


def _add_doctor(commands: Commands) -> None:
    doctor = commands.add_parser(
        "doctor",
        help="look at clusters, Redis and issuers, and say what to fix",
        description="Reads the settings as `serve` does, then asks each cluster, Redis and each "
        "issuer what a server would ask them: whether they answer, what is installed, which rights "
        "are missing, what their clocks say. A line for each, with what to do. Changes nothing in "
        "any cluster. Ends with status 1 if anything has to be mended, 2 if a setting is wrong.",
        allow_abbrev=False,
    )
    take_settings(doctor)
    doctor.set_defaults(run=_doctor)


def _spoke_manifest(arguments: argparse.Namespace) -> int:
    from rollgraph.server.spokemanifest import document

    wanted = Wanted(
        identity=arguments.identity,
        actions=not arguments.read_only,
        namespaces=tuple(arguments.namespace),
        users=tuple(arguments.user),
        groups=tuple(arguments.group),
        home=arguments.home,
        any_user=arguments.any_user,
        any_group=arguments.any_group,
    )
    if (wanted.groups or wanted.any_group) and not (wanted.users or wanted.any_user):
        raise ConfigError(
            "--group: expected --user NAME or --any-user beside it, since nobody is impersonated by"
            " groups alone"
        )
    print(document(wanted), end="")
    return OK


def _doctor(arguments: argparse.Namespace) -> int:
    from rollgraph.server.doctor import rounds

    return rounds.run(settings(arguments), print)
