"""Which rollouts a caller wants to see: a filter as data, and the predicate that it means."""

from collections.abc import Callable
from datetime import datetime

import msgspec

from rollgraph.core.phase import Phase
from rollgraph.core.view import RolloutView, StrategyKind

Predicate = Callable[[RolloutView], bool]


class StringFilter(msgspec.Struct, frozen=True, gc=False):
    """A condition on a text; every part that is set must hold.

    Attributes:
        matches: A glob in which `*` crosses `/` and `?` is any one character.
    """

    eq: str | None = None
    in_: tuple[str, ...] | None = None
    contains: str | None = None
    starts_with: str | None = None
    matches: str | None = None


class TimeFilter(msgspec.Struct, frozen=True, gc=False):
    """A condition on a time; both ends are exclusive."""

    after: datetime | None = None
    before: datetime | None = None


class RolloutFilter(msgspec.Struct, frozen=True):
    """A condition on a rollout; every part that is set must hold, an empty filter lets all pass.

    Attributes:
        image: Holds if any image of the present template does.
        label_selector: In Kubernetes' text form: `app=web,tier in (a,b),!legacy`.
        pause_reason: Holds if any reason of the present pauses is among these.
    """

    cluster: StringFilter | None = None
    namespace: StringFilter | None = None
    name: StringFilter | None = None
    phase: tuple[Phase, ...] | None = None
    strategy: tuple[StrategyKind, ...] | None = None
    image: StringFilter | None = None
    label_selector: str | None = None
    aborted: bool | None = None
    pause_reason: tuple[str, ...] | None = None
    updated_at: TimeFilter | None = None
    and_: tuple["RolloutFilter", ...] | None = None
    or_: tuple["RolloutFilter", ...] | None = None
    not_: "RolloutFilter | None" = None
