"""Lengths of time as Argo Rollouts writes them, and sums of times that cannot overflow."""

import re
from datetime import datetime, timedelta

from rollgraph.core.integers import integer

_UNITS = {
    "ns": 1e-9,
    "us": 1e-6,
    "\u00b5s": 1e-6,  # micro sign
    "\u03bcs": 1e-6,  # Greek letter mu: Go takes both
    "ms": 1e-3,
    "s": 1.0,
    "m": 60.0,
    "h": 3600.0,
}
_PART = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(" + "|".join(_UNITS) + ")")
# Matched as a whole before its parts are looked for: searching a long text of digits for parts
# would take time that grows with the square of its length.
_WHOLE = re.compile(rf"(?:{_PART.pattern})+")
# Go counts a duration in nanoseconds of 64 bits, and a pause in seconds of 32 bits.
_LONGEST = 2**63 / 1e9
_SECONDS = 2**31


def go_duration(text: str) -> timedelta | None:
    """A length in Go's text form ("1h30m"), or None for anything else."""
    sign, body = (-1, text[1:]) if text.startswith("-") else (1, text.removeprefix("+"))
    if body == "0":
        return timedelta(0)
    if not _WHOLE.fullmatch(body):
        return None
    seconds = sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(body))
    return timedelta(seconds=sign * seconds) if seconds < _LONGEST else None


def pause_duration(value: int | str) -> timedelta | None:
    """A pause's length: seconds as a number or as digits, else Go's text form.

    None if it is neither. The controller waits for whole seconds and drops the rest.
    """
    seconds = integer(value) if isinstance(value, str) else value
    if seconds is None:
        length = go_duration(str(value))
        seconds = int(length.total_seconds()) if length is not None else None
    if seconds is None or not -_SECONDS <= seconds < _SECONDS:
        return None
    return timedelta(seconds=seconds)


def after(start: datetime | None, length: timedelta | None, times: int = 1) -> datetime | None:
    """`start` and `times` lengths; None if either is unknown or the sum leaves the calendar."""
    if start is None or length is None:
        return None
    try:
        return start + length * times
    except OverflowError:
        return None


def seconds_after(start: datetime | None, seconds: int) -> datetime | None:
    """`start` and so many seconds; None as in `after`."""
    return after(start, timedelta(seconds=1), seconds)
