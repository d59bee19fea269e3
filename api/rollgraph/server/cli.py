"""The command line."""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rollgraph.core.errors import BrokerError, ConfigError
from rollgraph.core.identity import IdentityMode
from rollgraph.core.spokerights import NAME, Wanted
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
        if "config" in arguments:
            _complain("`rollgraph serve --help` lists all settings")
        return MISUSED
    except (PortTakenError, BrokerError) as error:
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
    serve.set_defaults(run=_serve, role="serve")
    _add_parts(commands)

    _add_demo(commands)
    _add_remote(commands)

    _add_policy(commands)
    _add_spoke(commands)

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
    _add_doctor(commands)
    described = config_commands.add_parser("reference", help="print what can be set, as Markdown")
    described.set_defaults(run=_config_reference)
    return root


def _add_parts(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
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
        _take_settings(part)
        part.set_defaults(run=_serve, role=name)


def _add_demo(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
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
    demo.add_argument(port.flag, dest=port.path, metavar=port.value, help=_help(port))
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


def _add_remote(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
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
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
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


def _add_spoke(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
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
        ("--user", "NAME", "a user whom it may impersonate (default: anybody)"),
        ("--group", "NAME", "a group that it may impersonate (default: any)"),
    ):
        again = f"{text}. May be given several times."
        manifest.add_argument(flag, action="append", default=[], metavar=value, help=again)
    manifest.set_defaults(run=_spoke_manifest)


def _add_doctor(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    doctor = commands.add_parser(
        "doctor",
        help="look at clusters, Redis and issuers, and say what to fix",
        description="Reads the settings as `serve` does, then asks each cluster, Redis and each "
        "issuer what a server would ask them: whether they answer, what is installed, which rights "
        "are missing, what their clocks say. A line for each, with what to do. Changes nothing in "
        "any cluster. Ends with status 1 if anything has to be mended, 2 if a setting is wrong.",
        allow_abbrev=False,
    )
    _take_settings(doctor)
    doctor.set_defaults(run=_doctor)


def _add_policy(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    policy = commands.add_parser("policy", help="who may do what, and why")
    policy_commands = policy.add_subparsers(metavar="COMMAND", required=True)
    can = policy_commands.add_parser(
        "can",
        help="tell whether a policy allows something",
        description="Tells whether a policy allows something, and by which line. Ends with status "
        "0 if it does, 1 if not, 2 if it is broken. Asks no server.",
        allow_abbrev=False,
    )
    can.add_argument("subject", metavar="SUBJECT", help="a user; or a role, to see what it gives")
    can.add_argument("action", metavar="ACTION", help="such as promote")
    can.add_argument(
        "object", metavar="OBJECT", help="cluster/namespace/name; with --argocd project/application"
    )
    can.add_argument(
        "--group",
        action="append",
        default=[],
        metavar="NAME",
        help="a group of the user. May be given several times.",
    )
    can.add_argument(
        "--resource",
        metavar="RESOURCE",
        help="what the object is (default: rollouts; with --argocd applications)",
    )
    can.add_argument(
        "--policy",
        action="append",
        metavar="FILE",
        help="a file of the policy (default: as for serve). May be given several times.",
    )
    can.add_argument(
        "--argocd",
        metavar="FILE",
        help="a policy of Argo CD instead: its CSV, or argocd-rbac-cm and AppProjects as YAML",
    )
    can.add_argument("--default-role", metavar="ROLE", help="the role that everybody has")
    can.add_argument("--match-mode", metavar="MODE", help="glob or regex, for --policy")
    can.set_defaults(run=_policy_can)
    lint = policy_commands.add_parser(
        "lint",
        help="tell what is odd about a policy",
        description="Tells what is odd about a policy: lines that do nothing, or not what they "
        "seem to. Takes ours and those of Argo CD. Ends with status 1 if anything is, 2 if the "
        "policy is broken.",
        allow_abbrev=False,
    )
    lint.add_argument("file", metavar="FILE", help="CSV; or argocd-rbac-cm, as YAML")
    lint.add_argument("--match-mode", metavar="MODE", help="of CSV: glob or regex (default: glob)")
    lint.set_defaults(run=_policy_lint)


def _count(text: str) -> int:
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError(f"expected 1 or more; got {text}")
    return number


def _rate(text: str) -> float:
    number = float(text)
    if not 0 <= number < float("inf"):
        raise argparse.ArgumentTypeError(f"expected a number of 0 or more; got {text}")
    return number


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
    from rollgraph.server.sharing import Role

    return serve.run(_settings(arguments), Role(arguments.role))


def _demo(arguments: argparse.Namespace) -> int:
    from rollgraph.server import demo
    from rollgraph.simulation.fleet import Plan

    # Those of spokes are for real clusters: none of them may get into a demo.
    environ = {name: text for name, text in os.environ.items() if "_SPOKES__" not in name}
    settings = sources.load(vars(arguments), environ)
    plan = Plan(arguments.spokes, arguments.rollouts, arguments.rate, arguments.seed)
    try:
        return demo.run(settings, plan, _complain)
    except demo.SimulationError as error:
        _complain(str(error))
        return FAILED


def _login(arguments: argparse.Namespace) -> int:
    from rollgraph.server.remote import commands

    return commands.login(arguments, _complain)


def _logout(arguments: argparse.Namespace) -> int:
    from rollgraph.server.remote import commands

    return commands.logout(arguments, _complain)


def _query(arguments: argparse.Namespace) -> int:
    from rollgraph.server.remote import commands

    return commands.query(arguments, _complain)


def _watch(arguments: argparse.Namespace) -> int:
    from rollgraph.server.remote import commands

    return commands.watch(arguments, _complain)


def _spoke_manifest(arguments: argparse.Namespace) -> int:
    from rollgraph.server.spokemanifest import document

    wanted = Wanted(
        identity=arguments.identity,
        actions=not arguments.read_only,
        namespaces=tuple(arguments.namespace),
        users=tuple(arguments.user),
        groups=tuple(arguments.group),
        home=arguments.home,
    )
    print(document(wanted), end="")
    return OK


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


def _doctor(arguments: argparse.Namespace) -> int:
    from rollgraph.server.doctor import rounds

    return rounds.run(_settings(arguments), print)


def _policy_can(arguments: argparse.Namespace) -> int:
    from rollgraph.server import policycommands

    answer = policycommands.can(arguments)
    for line in answer.lines:
        print(line)
    if answer.doubt:
        _complain(answer.doubt)
        return MISUSED
    return OK if answer.allowed else FAILED


def _policy_lint(arguments: argparse.Namespace) -> int:
    from rollgraph.server import policycommands

    findings = policycommands.lint_file(Path(arguments.file), arguments.match_mode)
    for finding in findings:
        print(finding)
    return FAILED if findings else OK


def _config_reference(_: argparse.Namespace) -> int:
    print(reference.markdown(), end="")
    return OK
