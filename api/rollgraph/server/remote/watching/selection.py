"""Which rollouts are meant: names and conditions of a command line, as a filter of the schema."""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import msgspec

from rollgraph.core.errors import ConfigError
from rollgraph.core.refs import RolloutRef

Filter: TypeAlias = dict[str, Any]

# What makes a text a glob, as the server reads it.
_GLOB = frozenset("*?[{")


class Selection(msgspec.Struct, frozen=True):
    """What is to be watched.

    Attributes:
        named: Rollouts that were named one by one: they are waited for if they are not there.
        filter: The filter that means all of them.
        clusters: The filter that means the clusters where they can be.
        exact: Whether all were named, so that no others can come.
    """

    named: tuple[RolloutRef, ...]
    filter: Filter
    clusters: Filter
    exact: bool


def select(names: Sequence[str], conditions: Sequence[str]) -> Selection:
    """Reads a command line.

    Args:
        names: `CLUSTER/NAMESPACE/NAME`, of which each part may be a glob.
        conditions: `KEY=VALUE`; those with one key mean any of them, those with several all.

    Raises `ConfigError`.
    """
    places = [_place(name) for name in names]
    named = [RolloutRef(*parts) for parts in places if not any(map(_is_glob, parts))]
    wanted = [_filter_of_place(parts) for parts in places]
    told = _conditions(conditions)
    parts: list[Filter] = [{"or": wanted}] if len(wanted) > 1 else wanted
    parts += [_any_of(key, values) for key, values in told.items()]
    return Selection(
        named=tuple(dict.fromkeys(named)),
        filter=parts[0] if len(parts) == 1 else {"and": parts} if parts else {},
        clusters=_clusters([parts[0] for parts in places] or told.get("cluster", [])),
        exact=bool(named) and len(named) == len(places),
    )


def _place(name: str) -> tuple[str, str, str]:
    parts = name.split("/")
    if len(parts) != 3 or not all(parts):
        raise ConfigError(f"expected CLUSTER/NAMESPACE/NAME; got {name!r}")
    return parts[0], parts[1], parts[2]


def _filter_of_place(parts: tuple[str, str, str]) -> Filter:
    texts = zip(("cluster", "namespace", "name"), parts, strict=True)
    # A part that may be anything is no condition, and a glob less for the server to count.
    return {key: _text(part) for key, part in texts if part != "*"}


def _conditions(given: Sequence[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for condition in given:
        key, equals, value = condition.partition("=")
        if key not in _KEYS or not equals or not value:
            expected = ", ".join(f"{key}=" for key in _KEYS)
            raise ConfigError(
                f"--filter: expected one of {expected} and a value; got {condition!r}"
            )
        found.setdefault(key, []).append(value)
    return found


def _any_of(key: str, values: Sequence[str]) -> Filter:
    filters = [_KEYS[key](key, value) for value in values]
    return filters[0] if len(filters) == 1 else {"or": filters}


def _clusters(names: Sequence[str]) -> Filter:
    """The only condition on a cluster; none if there are several, which leave too many rather than
    too few.
    """
    only = set(names)
    return {"name": _text(only.pop())} if len(only) == 1 and only != {"*"} else {}


def _text_filter(key: str, value: str) -> Filter:
    return {key: _text(value)}


def _enum_filter(key: str, value: str) -> Filter:
    return {key: [value.upper().replace("-", "_")]}


def _label_filter(_: str, value: str) -> Filter:
    return {"labelSelector": value}


_KEYS: dict[str, Callable[[str, str], Filter]] = {
    "cluster": _text_filter,
    "namespace": _text_filter,
    "name": _text_filter,
    "image": _text_filter,
    "labels": _label_filter,
    "phase": _enum_filter,
    "strategy": _enum_filter,
}


def _text(text: str) -> dict[str, str]:
    return {"matches": text} if _is_glob(text) else {"eq": text}


def _is_glob(text: str) -> bool:
    return not _GLOB.isdisjoint(text)
