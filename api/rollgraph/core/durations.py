"""Lengths of time as Argo Rollouts writes them."""

import re
from datetime import timedelta

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
_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(" + "|".join(_UNITS) + ")")


def go_duration(text: str) -> timedelta | None:
    """A length in Go's text form ("1h30m"), or None for anything else."""
    sign, body = (-1, text[1:]) if text.startswith("-") else (1, text.removeprefix("+"))
    if body == "0":
        return timedelta(0)
    parts = _PART.findall(body)
    if not parts or "".join(number + unit for number, unit in parts) != body:
        return None
    try:
        return timedelta(seconds=sign * sum(float(n) * _UNITS[unit] for n, unit in parts))
    except OverflowError:
        return None


def pause_duration(value: object) -> timedelta | None:
    """A pause's length: whole seconds as number or digits, else Go's text form.

    None if it is neither.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return _seconds(value)
    if isinstance(value, str):
        return _seconds(int(value)) if re.fullmatch(r"[+-]?\d+", value) else go_duration(value)
    return None


def _seconds(number: int) -> timedelta | None:
    try:
        return timedelta(seconds=number)
    except OverflowError:
        return None
