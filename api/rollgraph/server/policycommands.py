"""`rollgraph policy`: what a policy decides, and what is odd about it, without a server."""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import yaml

from rollgraph.adapters.casbin import CasbinEnforcer
from rollgraph.adapters.policyfiles import read_file
from rollgraph.adapters.re2 import patterns
from rollgraph.core.argocd.objects import ConfigMap, Project, read_config_map, read_project
from rollgraph.core.argocd.policies import policy_text
from rollgraph.core.errors import ConfigError, UnreadableError
from rollgraph.core.rbac.builtin import builtin
from rollgraph.core.rbac.explanation import Explanation, explain
from rollgraph.core.rbac.linting import Finding, lint
from rollgraph.core.rbac.policy import parse
from rollgraph.core.rbac.policyset import PolicySet
from rollgraph.core.rbac.rulebook import APPLICATIONS, ROLLOUTS
from rollgraph.core.rbac.text import Dialect, PolicyDocument, PolicyText
from rollgraph.core.rbac.tuples import ARGOCD_ACTIONS
from rollgraph.core.verbs import Verb
from rollgraph.server import sources


class Answer(msgspec.Struct, frozen=True):
    """What `policy can` found out.

    Attributes:
        lines: For a person; the first begins with yes or no.
        doubt: What is to be reported, because casbin decides otherwise; "" if it does not.
    """

    allowed: bool
    lines: tuple[str, ...]
    doubt: str = ""


def can(arguments: argparse.Namespace) -> Answer:
    """Decides the question of the arguments; raises `ConfigError` for a policy that is wrong."""
    text = _text(arguments)
    resource, action = _asked(arguments, text.dialect)
    names = [arguments.subject, *arguments.group]
    question = resource, action, arguments.object
    policies = PolicySet(text, patterns(text))
    found = explain(policies, names, *question)
    answers = {
        "the compiled policy": policies.allows(names, *question),
        "casbin": CasbinEnforcer(text, patterns(text)).allows(names, *question),
        "the reason given": found.allowed,
    }
    doubt = ""
    if len(set(answers.values())) > 1:
        said = ", ".join(f"{who} {_yes(answer)}" for who, answer in answers.items())
        doubt = f"this should not be, please report it with the policy: {said}"
    return Answer(answers["the compiled policy"], _told(found, question, names), doubt)


def lint_file(path: Path, match_mode: str | None = None) -> Sequence[Finding]:
    """What is odd about a policy; raises `ConfigError` if it cannot be read.

    A ConfigMap says itself what its patterns are.
    """
    text = read_argocd(path) if _is_argocd(path) else PolicyText((_document(path),))
    if match_mode is not None:
        mode = sources.load({"policy.match_mode": match_mode}, {}).policy.match_mode
        text = msgspec.structs.replace(text, match_mode=mode)
    every = (*text.documents, *text.projects.values())
    policy = parse(every, text.dialect)
    known = policy + parse(builtin(text.dialect, text.match_mode), text.dialect)
    return lint(policy, text.dialect, text.match_mode, patterns(text), known)


def read_argocd(path: Path) -> PolicyText:
    """The policy of an Argo CD: argocd-rbac-cm as YAML, perhaps with AppProjects, or CSV alone."""
    content = read_file(path)
    objects = _objects(content, path)
    if objects is None:
        document = PolicyDocument(str(path), content)
        return PolicyText((document,), Dialect.ARGOCD)
    maps: list[ConfigMap] = []
    projects: list[Project] = []
    for item in objects:
        try:
            if item.get("kind") == "ConfigMap":
                maps.append(read_config_map(msgspec.json.encode(item)))
            elif item.get("kind") == "AppProject":
                projects.append(read_project(msgspec.json.encode(item)))
        except UnreadableError as error:
            raise ConfigError(f"{path}: {error}") from error
    if len(maps) != 1:
        raise ConfigError(f"{path}: expected one ConfigMap, argocd-rbac-cm; got {len(maps)}")
    return policy_text(maps[0], projects)


def _text(arguments: argparse.Namespace) -> PolicyText:
    if arguments.argocd is not None:
        text = read_argocd(Path(arguments.argocd))
    else:
        flags = {"policy.files": arguments.policy, "policy.match_mode": arguments.match_mode}
        settings = sources.load(flags, os.environ).policy
        if not settings.files:
            raise ConfigError("which policy? --policy FILE, or --argocd FILE for one of Argo CD")
        text = PolicyText(
            tuple(map(_document, settings.files)),
            default_role=settings.default_role,
            match_mode=settings.match_mode,
        )
    if arguments.default_role is not None:
        text = msgspec.structs.replace(text, default_role=arguments.default_role)
    return text


def _document(path: Path) -> PolicyDocument:
    return PolicyDocument(str(path), read_file(path))


def _asked(arguments: argparse.Namespace, dialect: Dialect) -> tuple[str, str]:
    """The resource and the action; our verbs are translated to Argo CD's actions."""
    action = arguments.action
    if dialect is Dialect.ROLLGRAPH:
        return arguments.resource or ROLLOUTS, action
    resource = arguments.resource or APPLICATIONS
    if resource == APPLICATIONS and action in set(Verb):
        return resource, ARGOCD_ACTIONS[Verb(action)]
    return resource, action


def _told(found: Explanation, asked: Sequence[str], names: Sequence[str]) -> tuple[str, ...]:
    question = ", ".join(asked)
    if found.rule is None:
        return (f"no: nothing in the policy gives {' or '.join(names)} {question}",)
    lines = [f"{_yes(found.allowed)}: {found.rule.origin}: {found.rule}"]
    if found.broken:
        lines.append(f"its pattern is broken, and then Argo CD says no: {found.broken}")
    if len(found.path) > 1:
        lines.append(f"by way of {' -> '.join(found.path)}")
    elif found.path[0] not in names:
        lines.append(f"by the default role {found.path[0]}")
    return tuple(lines)


def _yes(allowed: bool) -> str:
    return "yes" if allowed else "no"


def _is_argocd(path: Path) -> bool:
    """A policy that speaks of applications was written for Argo CD, and so is a ConfigMap."""
    content = read_file(path)
    if _objects(content, path) is not None:
        return True
    policy = parse([PolicyDocument(str(path), content)], Dialect.ARGOCD)
    return any(APPLICATIONS in rule.resource for rule in policy.rules)


def _objects(content: str, path: Path) -> list[dict[str, Any]] | None:
    """The Kubernetes objects in a YAML text; None if it is CSV."""
    if not any(line.startswith(("kind:", '"kind"', "{")) for line in content.splitlines()):
        return None
    try:
        documents = [item for item in yaml.safe_load_all(content) if isinstance(item, dict)]
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: expected YAML: {' '.join(str(error).split())}") from error
    return [item for each in documents for item in (each.get("items") or [each])]
