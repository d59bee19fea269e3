"""Conditions joined by and, or and not.

One and two conditions are spelt out and more run in a plain loop: `all()` over a generator would
double what a scan of the fleet costs.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


def every(tests: Sequence[Callable[[T], bool]]) -> Callable[[T], bool]:
    """Holds if all of the tests do, so always without any; cheap ones should come first."""
    match tests:
        case []:
            return lambda _: True
        case [only]:
            return only
        case [one, other]:
            return lambda item: one(item) and other(item)
        case _:
            return _all(tuple(tests))


def some(tests: Sequence[Callable[[T], bool]]) -> Callable[[T], bool]:
    """Holds if one of the tests does, so never without any."""
    match tests:
        case []:
            return lambda _: False
        case [only]:
            return only
        case [one, other]:
            return lambda item: one(item) or other(item)
        case _:
            return _any(tuple(tests))


def negated(test: Callable[[T], bool]) -> Callable[[T], bool]:
    """Holds if the test does not."""
    return lambda item: not test(item)


def _all(tests: tuple[Callable[[T], bool], ...]) -> Callable[[T], bool]:
    def joined(item: T) -> bool:
        for test in tests:  # noqa: SIM110
            if not test(item):
                return False
        return True

    return joined


def _any(tests: tuple[Callable[[T], bool], ...]) -> Callable[[T], bool]:
    def joined(item: T) -> bool:
        for test in tests:  # noqa: SIM110
            if test(item):
                return True
        return False

    return joined
