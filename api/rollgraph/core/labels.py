"""Label selectors in Kubernetes' text form: `app=web,tier in (a,b),!legacy,weight>10`.

Accepts what `labels.Parse` of k8s.io/apimachinery accepts and means the same by it, its corners
included: an empty text selects everything, `a=` wants an empty value, `a!=b` and `a notin (b)` hold
where there is no label `a`, `in` and `notin` are names where no operator can stand. One thing is
stricter: a NUL byte, which Kubernetes takes for the end of a part, is refused.
"""

import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import NamedTuple

from rollgraph.core.errors import BadFilterError
from rollgraph.core.predicates import every

Labels = Mapping[str, str]
Selector = Callable[[Labels], bool]

# kube-apiserver takes selectors from URLs, which end at about 8 kB; a text longer than half of that
# was made by no person.
MAX_SELECTOR = 4096

_NAME = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_valid_name = re.compile(_NAME)
_valid_value = re.compile(f"({_NAME})?")
_DNS_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_valid_prefix = re.compile(rf"{_DNS_LABEL}(\.{_DNS_LABEL})*")
_integer = re.compile("[+-]?[0-9]+")
_token = re.compile(r"==|!=|[=!(),<>]|[^=!(),<> \t\r\n]+")
_SPECIAL = frozenset({"==", "!=", "=", "!", "(", ")", ",", "<", ">"})

# Kubernetes' limits: of a name and of a value, and of a key's prefix.
_MAX_PART, _MAX_PREFIX = 63, 253


class _Op(StrEnum):
    IN = "in"
    NOT_IN = "notin"
    EQUALS = "="
    DOUBLE_EQUALS = "=="
    NOT_EQUALS = "!="
    GREATER = ">"
    LESS = "<"


class _Token(NamedTuple):
    """A piece of the text; "" at its end. Columns count from 1."""

    text: str
    column: int

    @property
    def word(self) -> bool:
        """True for a key or a value."""
        return bool(self.text) and self.text not in _SPECIAL


def selector(text: str) -> Selector:
    """The predicate that a label selector means.

    Raises `BadFilterError`, which says what was found, in which column, and what was expected.
    """
    if len(text) > MAX_SELECTOR:
        raise BadFilterError(
            f"the label selector has {len(text)} characters; at most {MAX_SELECTOR} are allowed"
        )
    return every(_Parser(text).requirements())


class _Parser:
    """Reads one selector, left to right, with one token of look-ahead."""

    def __init__(self, text: str) -> None:
        nul = text.find("\0")
        if nul >= 0:
            raise BadFilterError(f"label selector, column {nul + 1}: a NUL byte is not allowed")
        found = [_Token(m.group(), m.start() + 1) for m in _token.finditer(text)]
        self._tokens = [*found, _Token("", len(text) + 1)]
        self._position = 0

    def requirements(self) -> list[Selector]:
        if not self._ahead.text:
            return []
        tests = [self._requirement()]
        while (token := self._next()).text:
            if token.text != ",":
                raise _unexpected(token, "',' or the end")
            tests.append(self._requirement())
        return tests

    def _requirement(self) -> Selector:
        negated = self._ahead.text == "!"
        if negated:
            self._next()
        key = self._key(self._next(), "a label's key" if negated else "a label's key or '!'")
        if negated:
            return lambda labels: key not in labels
        if self._ahead.text in ("", ","):
            return lambda labels: key in labels
        operator = self._operator()
        match operator:
            case _Op.IN:
                return _among(key, self._values())
            case _Op.NOT_IN:
                return _not_among(key, self._values())
            case _Op.EQUALS | _Op.DOUBLE_EQUALS:
                return _equal(key, self._value())
            case _Op.NOT_EQUALS:
                return _not_among(key, frozenset({self._value()}))
            case _Op.GREATER | _Op.LESS:
                return _compared(key, self._number(), greater=operator is _Op.GREATER)

    @property
    def _ahead(self) -> _Token:
        return self._tokens[self._position]

    def _next(self) -> _Token:
        token = self._tokens[self._position]
        self._position = min(self._position + 1, len(self._tokens) - 1)
        return token

    def _key(self, token: _Token, expected: str) -> str:
        if not token.word:
            raise _unexpected(token, expected)
        prefix, slash, name = token.text.rpartition("/")
        if slash and not (len(prefix) <= _MAX_PREFIX and _valid_prefix.fullmatch(prefix)):
            raise _unexpected(token, "a key whose prefix is a DNS name, such as example.com/tier")
        if len(name) > _MAX_PART or not _valid_name.fullmatch(name):
            raise _unexpected(token, f"a label's key: {_ALPHABET}")
        return token.text

    def _operator(self) -> _Op:
        token = self._next()
        try:
            return _Op(token.text)
        except ValueError:
            expected = ", ".join(f"'{op}'" for op in _Op)
            raise _unexpected(token, f"{expected}, ',' or the end") from None

    def _values(self) -> frozenset[str]:
        """The values in parentheses; between two commas, and beside a parenthesis, is an empty one.

        As in Kubernetes, two commas right before the closing parenthesis are an error.
        """
        opening = self._next()
        if opening.text != "(":
            raise _unexpected(opening, "'('")
        if self._ahead.text == ")":
            self._next()
            return frozenset({""})
        values: set[str] = set()
        while True:
            token = self._next()
            if token.word:
                values.add(_checked(token))
                if self._ahead.text not in (",", ")"):
                    raise _unexpected(self._ahead, "',' or ')'")
            elif token.text == ",":
                self._comma(values)
            else:
                raise _unexpected(token, "a value or ','")
            if self._ahead.text == ")":
                self._next()
                return frozenset(values)

    def _comma(self, values: set[str]) -> None:
        if not values or self._ahead.text in (",", ")"):
            values.add("")
        if self._ahead.text == ",":
            self._next()
            if self._ahead.text == ")":
                raise _unexpected(self._ahead, "a value or ','")

    def _value(self) -> str:
        if self._ahead.text in ("", ","):
            return ""
        token = self._next()
        if not token.word:
            raise _unexpected(token, "a value")
        return _checked(token)

    def _number(self) -> int:
        token = self._ahead
        number = _int64(self._value())
        if number is None:
            raise _unexpected(token, "a whole number of at most 64 bits")
        return number


_ALPHABET = (
    f"at most {_MAX_PART} letters, digits, '-', '_' and '.', with a letter or digit at both ends"
)


def _checked(token: _Token) -> str:
    if len(token.text) > _MAX_PART or not _valid_value.fullmatch(token.text):
        raise _unexpected(token, f"a value: {_ALPHABET}")
    return token.text


def _unexpected(token: _Token, expected: str) -> BadFilterError:
    found = f"found {token.text[:_MAX_PREFIX]!r}" if token.text else "it ends"
    return BadFilterError(
        f"label selector, column {token.column}: {found} where {expected} is expected"
    )


def _int64(text: str) -> int | None:
    """The number as Go's `strconv.ParseInt(text, 10, 64)` reads it; None where that fails."""
    # 63 characters are the longest label value, and cheap to convert.
    if len(text) > _MAX_PART or not _integer.fullmatch(text):
        return None
    number = int(text)
    return number if -(2**63) <= number < 2**63 else None


def _equal(key: str, value: str) -> Selector:
    return lambda labels: labels.get(key) == value


def _among(key: str, values: frozenset[str]) -> Selector:
    return lambda labels: labels.get(key) in values


def _not_among(key: str, values: frozenset[str]) -> Selector:
    return lambda labels: labels.get(key) not in values


def _compared(key: str, bound: int, *, greater: bool) -> Selector:
    """A label that is absent, or no number, is neither greater nor less."""

    def test(labels: Labels) -> bool:
        value = labels.get(key)
        number = None if value is None else _int64(value)
        return number is not None and (number > bound if greater else number < bound)

    return test
