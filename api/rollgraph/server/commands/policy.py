"""`policy`: who may do what, and why."""

import argparse
from pathlib import Path

from rollgraph.server.commands.settings import Commands
from rollgraph.server.commands.statuses import FAILED, MISUSED, OK, complain


def add(commands: Commands) -> None:
    """Adds it."""
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
    can.set_defaults(run=_can)
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
    lint.set_defaults(run=_lint)


def _can(arguments: argparse.Namespace) -> int:
    from rollgraph.server import policycommands

    answer = policycommands.can(arguments)
    for line in answer.lines:
        print(line)
    if answer.doubt:
        complain(answer.doubt)
        return MISUSED
    return OK if answer.allowed else FAILED


def _lint(arguments: argparse.Namespace) -> int:
    from rollgraph.server import policycommands

    findings = policycommands.lint_file(Path(arguments.file), arguments.match_mode)
    for finding in findings:
        print(finding)
    return FAILED if findings else OK
