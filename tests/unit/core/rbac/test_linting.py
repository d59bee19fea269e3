"""`policy lint` finds what is not meant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollgraph.adapters.re2 import patterns
from rollgraph.core.rbac.builtin import builtin
from rollgraph.core.rbac.covering import covers, most_slashes
from rollgraph.core.rbac.linting import lint
from rollgraph.core.rbac.policy import parse
from rollgraph.core.rbac.text import Dialect, MatchMode, PolicyDocument, PolicyText
from rollgraph.core.rbac.trie import Globs


def findings(
    *lines: str, dialect: Dialect = Dialect.ARGOCD, mode: MatchMode = MatchMode.GLOB
) -> list[str]:
    text = PolicyText(
        (PolicyDocument("p.csv", "\n".join(lines)),), dialect=dialect, match_mode=mode
    )
    policy = parse(text.documents, dialect)
    known = policy + parse(builtin(dialect, mode), dialect)
    return [str(found) for found in lint(policy, dialect, mode, patterns(text), known)]


def test_a_bare_project_is_told_to_be_mended() -> None:
    line = "p, role:team-my-team, applications, action/argoproj.io/Rollout/*, my-project, allow"
    assert findings(line) == [
        "p.csv:1: object 'my-project' matches none, for each is project/application:"
        " write my-project/*"
    ]
    assert findings(line.replace("my-project", "my-project/*")) == []


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("p, a, aplications, get, */*, allow", "resource 'aplications': Argo CD has no such"),
        ("p, a, applications, action, */*, allow", "action 'action' is no action: write action/*"),
        (
            "p, a, applications, promote, */*, allow",
            "action 'promote': expected one of get, create",
        ),
        (
            "p, a, applications, action/argoproj.io/Rollout/promote, */*, allow",
            "action 'action/argoproj.io/Rollout/promote': a Rollout has no such action;"
            " expected one of resume, promote-full",
        ),
        ("p, a, applications, get, */*, Allow", "expected the effect allow or deny, in small"),
        ("p, a, applications, get, {shop/*, allow", "object '{shop/*': a brace without the other"),
        ("p, a, applications, {get, sync}, allow", "action '{get': a brace without the other"),
        ("p, a, applications, get, [x-a]/*, deny", "object '[x-a]/*': column 4: the range x-a"),
        ("g, sre, role:amdin", "role 'role:amdin' is not known: expected a role that a p or g"),
    ],
)
def test_what_is_odd_in_a_policy_of_argo_cd_is_told(line: str, expected: str) -> None:
    assert findings(line)[0].startswith(f"p.csv:1: {expected}")


@pytest.mark.parametrize(
    "line",
    [
        "p, a, applications, action/argoproj.io/Rollout/undo, */*, allow",
        "p, a, applications, action/apps/Deployment/restart, shop/*, allow",
        "p, a, applications, delete/*/Pod/*, shop/*, allow",
        "p, a, *, get, *, allow",
        "p, a, clusters, get, https://east.example, allow",
        'p, a, applications, "{get,sync}", shop/web, deny',
        "g, sre, role:admin",
        "p, proj:shop:ci, projects, get, shop, allow",
    ],
)
def test_what_is_right_is_left_alone(line: str) -> None:
    assert findings(line) == []


def test_lines_that_another_makes_needless_are_told() -> None:
    assert findings(
        "p, a, applications, *, shop/*, allow",
        "p, a, applications, get, shop/web, allow",
        "p, a, applications, *, shop/*, allow",
        "p, a, applications, sync, pay/*, allow",
        'p, a, applications, "{get,sync}", p*, deny',
        "p, b, applications, get, shop/web, allow",
    ) == [
        "p.csv:2: changes nothing: p.csv:1 says as much",
        "p.csv:3: changes nothing: p.csv:1 says as much",
        "p.csv:4: allows nothing: p.csv:5 denies all of it",
    ]


def test_regular_expressions_without_ends_are_told() -> None:
    (found,) = findings(
        "p, a, ^applications$, .*, shop/app, allow",
        "p, a, ^applications$, ^get$, ^shop/.*$, allow",
        mode=MatchMode.REGEX,
    )
    assert found.startswith("p.csv:1: object 'shop/app': matches any text that has it somewhere")


def test_a_broken_regular_expression_is_told_with_whom_it_harms() -> None:
    (found,) = findings("p, sre, .*, .*, *, allow", mode=MatchMode.REGEX)
    assert found.endswith("Argo CD says no to 'sre' wherever it comes to that")
    assert "object '*'" in found


def test_ours_is_held_to_our_words() -> None:
    (found,) = findings("p, a, rollouts, get, east/shop, allow", dialect=Dialect.ROLLGRAPH)
    assert found.endswith("for each is cluster/namespace/name: write east/shop/*")


GLOBS = st.lists(
    st.sampled_from(["a", "b", "/", "*", "?", "[a-b]", "[!a]", "{a,b/}", "{*,a}"]), max_size=5
).map("".join)


@given(GLOBS, GLOBS, st.lists(st.text("ab/", max_size=5), max_size=20))
def test_what_a_wider_glob_covers_it_matches(wide: str, narrow: str, texts: list[str]) -> None:
    if covers(wide, narrow):
        wider, narrower = Globs().any([wide]), Globs().any([narrow])
        assert [text for text in texts if narrower(text) and not wider(text)] == []


@pytest.mark.parametrize(
    ("wide", "narrow"),
    [
        ("*", "a/b"),
        ("shop/*", "shop/a*"),
        ("{a,b}*", "a?"),
        ("?", "?"),
        ("*a*", "*ba"),
        ("?", "[a-c]"),
    ],
)
def test_covering_is_seen_where_it_is_plain(wide: str, narrow: str) -> None:
    assert covers(wide, narrow)
    assert not covers(narrow, wide) or wide == narrow


@pytest.mark.parametrize(
    ("glob", "most"),
    [("a", 0), ("a/b", 1), ("a?b", 1), ("[!x][a-c]/", 2), ("*", None), ("{a,/b/}", 2)],
)
def test_slashes_are_counted(glob: str, most: int | None) -> None:
    assert most_slashes(glob) == most
