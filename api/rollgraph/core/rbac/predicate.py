"""Whether something is allowed, as a function of its object."""

from collections.abc import Sequence

import msgspec

from rollgraph.core.rbac.patterns import Matches


class Predicate(msgspec.Struct, frozen=True):
    """What some names may do with one action on one resource.

    Attributes:
        allows: Whether it is allowed on an object.
        total: True only if it is on every object of the resource.
        weight: The patterns that it is made of, and one.
    """

    allows: Matches
    total: bool
    weight: int


NOTHING = Predicate(lambda _: False, total=False, weight=1)


def one_of(predicates: Sequence[Predicate]) -> Predicate:
    """Allowed where one of some predicates allows."""
    able = [predicate for predicate in predicates if predicate is not NOTHING]
    if len(able) <= 1:
        return able[0] if able else NOTHING
    each = tuple(predicate.allows for predicate in able)

    def allows(object: str) -> bool:
        for one in each:  # noqa: SIM110 - `any` of a generator takes twice as long
            if one(object):
                return True
        return False

    total = any(predicate.total for predicate in able)
    return Predicate(allows, total, sum(predicate.weight for predicate in able))


def unless(allows: Matches, denies: Matches, weight: int) -> Predicate:
    """Allowed by the first, and not denied by the second."""
    return Predicate(lambda object: allows(object) and not denies(object), False, weight)
