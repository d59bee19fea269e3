"""Which rollouts somebody is shown: a test, with a name under which answers may be kept."""

from collections.abc import Hashable

import msgspec

from rollgraph.core.filtering import Predicate


class Visibility(msgspec.Struct, frozen=True, eq=False):
    """The rollouts that somebody is shown; where there is none of it, all are.

    Attributes:
        key: Equal for two only if they show the same rollouts, whatever becomes of these. What has
            been counted for one is the other's answer, too.
        shows: Whether a rollout is shown, as it is now. It answers from memory, at once.
    """

    key: Hashable
    shows: Predicate
