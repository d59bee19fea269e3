"""What is wrong with something Rollgraph needs, and what to do about it: one line each."""

from collections.abc import Iterator, Sequence
from enum import StrEnum

import msgspec

from rollgraph.core.errors import (
    ConfigError,
    ForbiddenError,
    NotInstalledError,
    RollgraphError,
    ServerError,
    TooManyRequestsError,
    UnauthenticatedError,
    UnreachableError,
)
from rollgraph.core.spokerights import Manifest

# Seconds by which clocks may differ. Times of a spoke are shown beside those of ours, as in "3 min
# left"; a token is refused 30 s after its end, and not believed before it begins.
APART = 2.0
TOO_FAR_APART = 30.0

APPLY = "apply what `rollgraph spoke manifest` prints"


class Verdict(StrEnum):
    """How good something is: a warning lets Rollgraph work, with less than was asked for."""

    GOOD = "ok"
    WARNING = "warning"
    BAD = "FAILED"


class Finding(msgspec.Struct, frozen=True):
    """One thing that was looked at.

    Attributes:
        subject: What it is, such as `cluster east`.
        said: What was found.
        fix: What to do about it; "" where nothing is to be done.
    """

    subject: str
    verdict: Verdict
    said: str
    fix: str = ""

    def __str__(self) -> str:
        told = " ".join(f"{self.subject}: {self.said}".split())  # an error may have line breaks
        return f"{self.verdict:<8}{told}{f' -> {self.fix}' if self.fix else ''}"


class Right(msgspec.Struct, frozen=True, order=True):
    """Something that Rollgraph does on a spoke, as Kubernetes RBAC has it."""

    group: str
    resource: str
    verb: str
    subresource: str = ""

    @property
    def what(self) -> str:
        """Such as `rollouts.argoproj.io/status`, as kubectl names it."""
        named = f"{self.resource}.{self.group}" if self.group else self.resource
        return f"{named}/{self.subresource}" if self.subresource else named


def rights(manifests: Sequence[Manifest]) -> list[Right]:
    """Each right that the roles bound in a spoke's manifests give, once.

    A role that nobody is bound to is for people.
    """
    bound = {item["roleRef"]["name"] for item in manifests if item["kind"].endswith("Binding")}
    found = (
        Right(group, resource, verb, subresource)
        for item in manifests
        if item["metadata"]["name"] in bound
        for rule in item.get("rules", ())
        for group in rule["apiGroups"]
        for resource, _, subresource in (name.partition("/") for name in rule["resources"])
        for verb in rule["verbs"]
    )
    return list(dict.fromkeys(found))


def lacking(subject: str, missing: Sequence[Right], where: str) -> Iterator[Finding]:
    """What follows from rights that are not there: a line for each resource.

    Args:
        where: The namespace; "" for all.
    """
    verbs: dict[str, list[str]] = {}
    for right in missing:
        verbs.setdefault(right.what, []).append(right.verb)
    place = f"in {where}" if where else "in all namespaces"
    for what, these in verbs.items():
        if these == ["impersonate"]:
            yield Finding(
                subject,
                Verdict.WARNING,
                f"may not impersonate every one of {what}: whoever is not named by its RBAC acts"
                " with Rollgraph's own credentials",
                f"{APPLY}, or set acting.identity to serviceAccount",
            )
        else:
            said = f"may not {' or '.join(these)} {what} {place}"
            yield Finding(subject, Verdict.BAD, said, f"{APPLY} there")


def clock(subject: str, ahead: float) -> Iterator[Finding]:
    """What follows from a clock that differs.

    Args:
        ahead: Seconds by which it is ahead of ours.
    """
    if abs(ahead) > APART:
        direction = "ahead of" if ahead > 0 else "behind"
        yield Finding(
            subject,
            Verdict.BAD if abs(ahead) > TOO_FAR_APART else Verdict.WARNING,
            f"its clock is {abs(ahead):.0f} s {direction} this machine's",
            "let NTP set both: times left and ages of rollouts are wrong by as much",
        )


def trouble(subject: str, error: RollgraphError) -> Finding:
    """What follows from an error; whoever looked could not go on."""
    return Finding(subject, Verdict.BAD, str(error) or type(error).__name__, _fix(error))


def _fix(error: RollgraphError) -> str:
    match error:
        case ConfigError():
            return "mend the kubeconfig's entry"
        case UnauthenticatedError():
            return "renew the credentials in the kubeconfig, or look whether their user still is"
        case ForbiddenError():
            return f"{APPLY} there"
        case NotInstalledError():
            return "install Argo Rollouts there, or leave the cluster out (--context)"
        case TooManyRequestsError():
            return "look at its priority levels, or try again"
        case UnreachableError():
            return "look whether it runs, and whether a firewall or proxy is in between"
        case ServerError():
            return "look at the log of its API server"
        case _:
            return ""
