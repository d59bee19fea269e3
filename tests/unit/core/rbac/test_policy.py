"""Policies are read line by line, as Argo CD reads them."""

import pytest

from rollgraph.core.errors import PolicyError
from rollgraph.core.rbac.csv import BadLineError, fields
from rollgraph.core.rbac.policy import parse
from rollgraph.core.rbac.text import Dialect, PolicyDocument


def document(csv: str) -> PolicyDocument:
    return PolicyDocument("policy.csv", csv)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("p, a,b", ["p", "a", "b"]),
        ("p,\t a , b", ["p", "a ", "b"]),
        ('p, "a,b", c', ["p", "a,b", "c"]),
        ('p, "say ""x""", c', ["p", 'say "x"', "c"]),
        ('p, "", ', ["p", "", ""]),
        ("p,{a,b}", ["p", "{a", "b}"]),
        ('"p"', ["p"]),
    ],
)
def test_a_line_is_cut_as_go_cuts_it(line: str, expected: list[str]) -> None:
    assert fields(line) == expected


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('p, a"b, c', "column 5: a quote within a field"),
        ('p, "a, c', "column 4: the quote is never closed"),
        ('p, "a" , c', "column 7: expected a comma right after the quote"),
        ('p, "a"b', "column 7: expected a comma right after the quote"),
    ],
)
def test_what_go_refuses_is_refused(line: str, problem: str) -> None:
    with pytest.raises(BadLineError) as caught:
        fields(line)
    assert str(caught.value).startswith(problem)


def test_comments_and_empty_lines_say_nothing() -> None:
    policy = parse(
        [document("# p, a, b\n\n  p, a, b, c, d, allow  \r\n\tg, a, b\n")], Dialect.ARGOCD
    )
    assert [str(rule) for rule in policy.rules] == ["p, a, b, c, d, allow"]
    assert [str(grant) for grant in policy.grants] == ["g, a, b"]
    assert str(policy.rules[0].origin) == "policy.csv:3"


def test_each_wrong_line_is_named_with_what_was_expected() -> None:
    csv = """p, alice, rollouts, get, *
g, alice
p, alice, rollouts, {get,watch}, *, allow
q, x
p, alice, rollouts, get, "*, allow
p, alice, rollouts, get, *, allow"""
    with pytest.raises(PolicyError) as caught:
        parse([document(csv)], Dialect.ROLLGRAPH)
    assert str(caught.value).splitlines() == [
        "policy.csv:1: expected 6 fields, p, <subject>, <resource>, <action>, <object>,"
        " <allow or deny>; got 'p, alice, rollouts, get, *'",
        "policy.csv:2: expected 3 fields, g, <user, group or role>, <role>; got 'g, alice'",
        "policy.csv:3: expected 6 fields, p, <subject>, <resource>, <action>, <object>,"
        " <allow or deny>; quote a field that has commas;"
        " got 'p, alice, rollouts, {get,watch}, *, allow'",
        "policy.csv:4: expected a line that begins with p or g; got 'q, x'",
        "policy.csv:5: column 26: the quote is never closed;"
        " got 'p, alice, rollouts, get, \"*, allow'",
    ]


def test_space_after_a_field_counts_only_in_argo_cd() -> None:
    csv = "p, alice , rollouts, get , *, allow"
    (theirs,) = parse([document(csv)], Dialect.ARGOCD).rules
    (ours,) = parse([document(csv)], Dialect.ROLLGRAPH).rules
    assert (theirs.subject, theirs.action) == ("alice ", "get ")
    assert (ours.subject, ours.action) == ("alice", "get")
    assert str(theirs) == 'p, "alice ", rollouts, "get ", *, allow'
