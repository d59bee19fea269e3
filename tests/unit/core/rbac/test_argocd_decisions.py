"""Whatever Argo CD decided about 1,200 questions under 60 policies, we decide."""

import json
from pathlib import Path
from typing import Any

import pytest

from rollgraph.adapters.re2 import Regexes
from rollgraph.core.rbac.patterns import Patterns
from rollgraph.core.rbac.policyset import PolicySet
from rollgraph.core.rbac.text import Dialect, MatchMode, PolicyDocument, PolicyText
from rollgraph.core.rbac.trie import Globs

RECORDED = Path(__file__).parents[3] / "data" / "argocd-decisions.json"
POLICIES: list[dict[str, Any]] = json.loads(RECORDED.read_text("utf-8"))
PATTERNS: dict[MatchMode, Patterns] = {
    MatchMode.GLOB: Globs(),
    MatchMode.REGEX: Regexes(anchored=False),
}


@pytest.mark.parametrize("recorded", POLICIES, ids=range(len(POLICIES)))
def test_decides_as_argo_cd(recorded: dict[str, Any]) -> None:
    mode = MatchMode(recorded["mode"])
    policies = PolicySet(
        PolicyText(
            (PolicyDocument("policy.csv", recorded["csv"]),),
            Dialect.ARGOCD,
            recorded["default"],
            mode,
            builtin=recorded["builtin"],
        ),
        PATTERNS[mode],
    )
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
