"""What a policy says, line by line.

    p, <subject>, <resource>, <action>, <object>, <allow or deny>
    g, <user, group or role>, <role>

The subject is a user, a group or a role; resource, action and object are patterns. Empty lines and
lines that begin with `#` say nothing.
"""

from collections.abc import Iterable, Iterator

import msgspec

from rollgraph.core.errors import PolicyError
from rollgraph.core.rbac.csv import BadLineError, fields
from rollgraph.core.rbac.text import Dialect, PolicyDocument

ALLOW = "allow"
DENY = "deny"

_EXPECTED = {
    "p": "6 fields, p, <subject>, <resource>, <action>, <object>, <allow or deny>",
    "g": "3 fields, g, <user, group or role>, <role>",
}


class Origin(msgspec.Struct, frozen=True):
    """Where a line stands.

    Attributes:
        line: From 1.
    """

    document: str
    line: int

    def __str__(self) -> str:
        return f"{self.document}:{self.line}"


class Rule(msgspec.Struct, frozen=True):
    """Lets a subject do something, or forbids it.

    Attributes:
        effect: What is neither "allow" nor "deny" has none, as in Argo CD.
    """

    subject: str
    resource: str
    action: str
    object: str
    effect: str
    origin: Origin

    def __str__(self) -> str:
        said = (self.subject, self.resource, self.action, self.object, self.effect)
        return f"p, {', '.join(map(_as_field, said))}"


class Grant(msgspec.Struct, frozen=True):
    """Gives a role to a user, a group, or whoever has another role."""

    member: str
    role: str
    origin: Origin

    def __str__(self) -> str:
        return f"g, {_as_field(self.member)}, {_as_field(self.role)}"


class Policy(msgspec.Struct, frozen=True):
    """Rules and grants; their order means nothing."""

    rules: tuple[Rule, ...] = ()
    grants: tuple[Grant, ...] = ()

    def __add__(self, other: "Policy") -> "Policy":
        return Policy(self.rules + other.rules, self.grants + other.grants)


def parse(documents: Iterable[PolicyDocument], dialect: Dialect) -> Policy:
    """Reads the lines; what they mean is not looked at.

    Raises `PolicyError` with a line for each line that is wrong.
    """
    rules: list[Rule] = []
    grants: list[Grant] = []
    problems: list[str] = []
    for origin, text in _lines(documents):
        try:
            said = _fields(text, dialect)
        except BadLineError as error:
            problems.append(f"{origin}: {error}; got {text!r}")
            continue
        match said:
            case ["p", subject, resource, action, object_, effect]:
                rules.append(Rule(subject, resource, action, object_, effect, origin))
            case ["g", member, role]:
                grants.append(Grant(member, role, origin))
            case _:
                problems.append(f"{origin}: {_expected(said)}; got {text!r}")
    if problems:
        raise PolicyError("\n".join(problems))
    return Policy(tuple(rules), tuple(grants))


def _lines(documents: Iterable[PolicyDocument]) -> Iterator[tuple[Origin, str]]:
    for document in documents:
        for number, line in enumerate(document.csv.split("\n"), 1):
            text = line.strip()
            if text and not text.startswith("#"):
                yield Origin(document.name, number), text


def _fields(text: str, dialect: Dialect) -> list[str]:
    found = fields(text)
    # Argo CD keeps space after a field, so that `p, alice , …` speaks of nobody. Nobody means that.
    return found if dialect is Dialect.ARGOCD else [field.strip() for field in found]


def _expected(said: list[str]) -> str:
    expected = _EXPECTED.get(said[0])
    if expected is None:
        return "expected a line that begins with p or g"
    torn = any("{" in field and "}" not in field for field in said)
    return f"expected {expected}{'; quote a field that has commas' if torn else ''}"


def _as_field(text: str) -> str:
    quoted = any(char in text for char in ',"') or text != text.strip()
    return '"' + text.replace('"', '""') + '"' if quoted else text
