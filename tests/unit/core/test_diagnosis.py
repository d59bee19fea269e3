import pytest

from rollgraph.core import diagnosis
from rollgraph.core.diagnosis import Finding, Right, Verdict
from rollgraph.core.errors import (
    NotInstalledError,
    RollgraphError,
    ServerError,
    UnauthenticatedError,
    UnreachableError,
)
from rollgraph.core.identity import IdentityMode
from rollgraph.core.spokerights import Wanted, manifests

READING = [
    Right(group, resource, verb)
    for group, resource in (
        ("argoproj.io", "rollouts"),
        ("argoproj.io", "analysisruns"),
        ("argoproj.io", "experiments"),
        ("apps", "replicasets"),
        ("apps", "deployments"),
        ("", "pods"),
        ("", "events"),
    )
    for verb in ("list", "watch")
]


def test_who_only_reads_needs_no_more() -> None:
    assert diagnosis.rights(manifests(Wanted(actions=False))) == READING


def test_what_people_need_rollgraph_does_not() -> None:
    wanted = Wanted(identity=IdentityMode.IMPERSONATE, any_user=True)
    ours = diagnosis.rights(manifests(wanted))
    assert Right("argoproj.io", "rollouts", "patch") not in ours
    assert Right("", "users", "impersonate") in ours


def test_subresources_are_parted_from_their_resource() -> None:
    ours = diagnosis.rights(manifests(Wanted(identity=IdentityMode.SERVICE_ACCOUNT)))
    assert Right("argoproj.io", "rollouts", "patch", "status") in ours


def test_missing_rights_are_told_by_resource() -> None:
    missing = [right for right in READING if right.resource in {"pods", "rollouts"}]
    told = [finding.said for finding in diagnosis.lacking("cluster east", missing, "shop")]
    assert told == [
        "may not list or watch rollouts.argoproj.io in shop",
        "may not list or watch pods in shop",
    ]


def test_who_cannot_impersonate_everybody_can_still_act() -> None:
    (found,) = diagnosis.lacking("cluster east", [Right("", "users", "impersonate")], "")
    assert found.verdict is Verdict.WARNING


@pytest.mark.parametrize(
    ("ahead", "verdict"),
    [(0.0, None), (-2.0, None), (3.0, Verdict.WARNING), (-31.0, Verdict.BAD), (31.0, Verdict.BAD)],
)
def test_clocks(ahead: float, verdict: Verdict | None) -> None:
    assert [f.verdict for f in diagnosis.clock("cluster east", ahead)] == [verdict][: bool(verdict)]


def test_a_clock_says_in_which_direction() -> None:
    (found,) = diagnosis.clock("cluster east", -7.4)
    assert found.said == "its clock is 7 s behind this machine's"


@pytest.mark.parametrize(
    ("error", "fix"),
    [
        (UnauthenticatedError("HTTP 401"), "renew the credentials"),
        (UnreachableError("no connection"), "look whether it runs"),
        (NotInstalledError("no Rollouts"), "install Argo Rollouts"),
        (ServerError("HTTP 500"), "look at the log"),
    ],
)
def test_each_error_has_its_remedy(error: RollgraphError, fix: str) -> None:
    assert fix in diagnosis.trouble("cluster east", error).fix


def test_a_finding_is_one_line() -> None:
    found = Finding("cluster east", Verdict.BAD, "cannot be\nreached", "look")
    assert str(found) == "FAILED  cluster east: cannot be reached -> look"
