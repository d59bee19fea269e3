"""Scalars: how times, lengths, shares and raw JSON look on the wire."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any, NewType

import strawberry
from strawberry.types.scalar import ScalarDefinition

Percent = NewType("Percent", float)
Json = NewType("Json", object)

_DURATION = re.compile(
    r"P(?:(?P<days>\d+)D)?"
    r"(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:\.\d{1,6})?)S)?)?"
)


def format_time(value: datetime) -> str:
    """RFC 3339 in UTC with a `Z`, with as many decimals as the value has."""
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def parse_time(value: Any) -> datetime:
    """Reads RFC 3339.

    A time without a zone is refused, for nobody could say which moment it means.
    """
    try:
        parsed = datetime.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise ValueError(f"expected a time such as 2026-01-31T12:00:00Z, got {value!r}") from error
    if parsed.tzinfo is None:
        raise ValueError(f"expected a time with a zone such as 2026-01-31T12:00:00Z, got {value!r}")
    return parsed


def format_duration(value: timedelta) -> str:
    """ISO 8601 with at most days, hours, minutes and seconds: `PT1M30S`."""
    sign, rest = ("-", -value) if value < timedelta(0) else ("", value)
    minutes, seconds = divmod(rest.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    whole = [(rest.days, "D"), (hours, "H"), (minutes, "M")]
    days, *clock = [f"{number}{unit}" if number else "" for number, unit in whole]
    if rest.microseconds:
        clock.append(f"{seconds + rest.microseconds / 1e6:.6f}".rstrip("0") + "S")
    elif seconds:
        clock.append(f"{seconds}S")
    time = "".join(clock)
    return f"{sign}P{days}T{time}" if time else f"{sign}P{days}" if days else "PT0S"


def parse_duration(value: Any) -> timedelta:
    """Reads ISO 8601 days, hours, minutes and seconds; years and months have no fixed length."""
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    parts = {unit: float(n) for unit, n in match.groupdict().items() if n} if match else {}
    if not parts:
        raise ValueError(f"expected a length of time such as PT1M30S, got {value!r}")
    try:
        return timedelta(**parts)
    except OverflowError as error:
        raise ValueError(f"{value!r} is too long") from error


def _parse_percent(value: Any) -> Percent:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Percent(float(value))
    raise ValueError(f"expected a number, got {value!r}")


SCALARS: dict[object, ScalarDefinition] = {
    datetime: strawberry.scalar(
        name="DateTime",
        description="A moment in RFC 3339, in UTC: `2026-01-31T12:00:00Z`.",
        specified_by_url="https://scalars.graphql.org/andimarek/date-time.html",
        serialize=format_time,
        parse_value=parse_time,
    ),
    timedelta: strawberry.scalar(
        name="Duration",
        description="A length of time in ISO 8601, days to seconds: `PT1M30S`.",
        serialize=format_duration,
        parse_value=parse_duration,
    ),
    Percent: strawberry.scalar(
        name="Percent",
        description="A share in percent, from 0 to 100.",
        serialize=float,
        parse_value=_parse_percent,
    ),
    Json: strawberry.scalar(
        name="JSON",
        description="Any JSON value, as the spoke has it.",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc8259",
        serialize=lambda value: value,
        parse_value=lambda value: value,
    ),
}


def percent(weight: int, maximum: int) -> Percent:
    """A weight in units of its maximum as a share in percent."""
    return Percent(100 * weight / maximum)
