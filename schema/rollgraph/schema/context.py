"""What every resolver may ask: the mirror, the time, and the settings that answers depend on."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import strawberry

from rollgraph.access.caller import ANYBODY, Caller
from rollgraph.core.connection import ClusterView
from rollgraph.core.decision import Decision
from rollgraph.core.errors import UnauthenticatedViewerError
from rollgraph.core.refs import RolloutRef
from rollgraph.core.verbs import Scope, Verb
from rollgraph.ports import Mirror, Rights
from rollgraph.schema.limits.bounds import DEFAULTS, Limits

if TYPE_CHECKING:
    from rollgraph.schema.fragments import FragmentCache


@dataclass(frozen=True, slots=True)
class About:
    """What a gateway says of itself.

    Attributes:
        version: Rollgraph's.
        schema_hash: SHA-256 of the schema's text, in hex.
        limits: What one request may ask for.
    """

    version: str = ""
    schema_hash: str = ""
    limits: Limits = DEFAULTS


class Context:
    """One request's surroundings: all that a resolver may ask, and a note of what it did ask.

    Rollouts come from the mirror and change with its version. The time and the clusters' states
    change by themselves. An answer may be kept as long as nothing changes that it has asked.

    Args:
        mirror: The fleet's model.
        now: When the request arrived, in UTC; one request sees one time.
        patience: How long a silent API server is believed to be alive.
        request_id: Names the request in logs and in masked errors.
        about: The gateway that answers.
        fragments: Parts of answers that are kept; None keeps nothing.
        caller: Who asks, and what they may see and do.

    Attributes:
        fleet_reads: How often something was asked that changes with the mirror's version.
        moment_reads: How often something was asked that changes by itself, or that is the caller's
            alone.
    """

    __slots__ = (
        "_caller",
        "_mirror",
        "_now",
        "about",
        "fleet_reads",
        "fragments",
        "moment_reads",
        "patience",
        "request_id",
    )

    def __init__(
        self,
        mirror: Mirror,
        now: datetime,
        patience: timedelta,
        request_id: str = "",
        about: About | None = None,
        fragments: "FragmentCache | None" = None,
        caller: Caller = ANYBODY,
    ) -> None:
        self._mirror = mirror
        self._now = now
        self._caller = caller
        self.patience = patience
        self.request_id = request_id
        self.about = about if about is not None else About()
        self.fragments = fragments
        self.fleet_reads = 0
        self.moment_reads = 0

    @property
    def fleet(self) -> Mirror:
        """The rollouts; clusters themselves are asked of `cluster` and `clusters`."""
        self.fleet_reads += 1
        return self._mirror

    @property
    def now(self) -> datetime:
        """When the request arrived."""
        self.moment_reads += 1
        return self._now

    @property
    def caller(self) -> Caller:
        """Who asks, with their token if it is passed on."""
        self.moment_reads += 1
        return self._caller

    @property
    def rights(self) -> Rights:
        """What the caller may do; `fleet`, `cluster` and `clusters` settle what they see."""
        return self.caller.rights

    def check_login(self) -> None:
        """Raises `UnauthenticatedViewerError` if the caller's login has ended meanwhile."""
        end = self._caller.viewer.expires_at
        if end is not None and end <= self._now:
            raise UnauthenticatedViewerError("the login has ended: log in again")

    def may_use(self, scope: Scope) -> Decision:
        """Whether the caller's token has not been narrowed to less."""
        return self._caller.rights.may_use(scope)

    def may(self, verb: Verb, ref: RolloutRef) -> Decision:
        """Whether the caller may do that to a rollout, which may not exist."""
        return self._caller.rights.may(verb, ref, self._mirror.rollout(ref))

    def cluster(self, name: str) -> ClusterView | None:
        """What is known of a cluster itself."""
        self.moment_reads += 1
        return self._mirror.cluster(name)

    def clusters(self) -> Collection[ClusterView]:
        """What is known of every cluster itself."""
        self.moment_reads += 1
        return self._mirror.clusters()


Info = strawberry.Info[Context, None]
