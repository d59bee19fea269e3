"""Whatever Argo CD decided about 1,200 questions under 60 policies, we decide."""

import json
from pathlib import Path
from typing import Any

import pytest

from rollgraph.adapters.re2 import patterns
from rollgraph.core.rbac.policyset import PolicySet
from rollgraph.core.rbac.text import Dialect, MatchMode, PolicyDocument, PolicyText

RECORDED = Path(__file__).parents[3] / "data" / "argocd-decisions.json"
POLICIES: list[dict[str, Any]] = json.loads(RECORDED.read_text("utf-8"))


@pytest.mark.parametrize("recorded", POLICIES, ids=range(len(POLICIES)))
def test_decides_as_argo_cd(recorded: dict[str, Any]) -> None:
    text = PolicyText(
        (PolicyDocument("policy.csv", recorded["csv"]),),
        Dialect.ARGOCD,
        recorded["default"],
        MatchMode(recorded["mode"]),
        builtin=recorded["builtin"],
    )
    policies = PolicySet(text, patterns(text))
    for asked in recorded["requests"]:
        found = policies.allows(
            [asked["subject"]], asked["resource"], asked["action"], asked["object"]
        )
        assert found is asked["allowed"], asked


def test_the_recording_has_both_answers_in_each_mode() -> None:
    answers = [
        (recorded["mode"], asked["allowed"])
        for recorded in POLICIES
        for asked in recorded["requests"]
    ]
    assert len(answers) == 1200
    assert set(answers) >= {("glob", True), ("glob", False), ("regex", True), ("regex", False)}
