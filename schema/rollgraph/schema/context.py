"""What every resolver may ask: the mirror, the time, and the settings that answers depend on."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import strawberry

from rollgraph.access.caller import ANYBODY, Caller
from rollgraph.access.seen import SeenFleet
from rollgraph.acting.actor import Acting
from rollgraph.core.audit import AuditEntry, Result
from rollgraph.core.connection import ClusterView
from rollgraph.core.decision import Decision
from rollgraph.core.errors import NotAllowedError, UnauthenticatedViewerError
from rollgraph.core.refs import RolloutRef
from rollgraph.core.verbs import Scope, Verb
from rollgraph.ports import AuditLog, Authority, Clock, Mirror, Newsroom, Rights
from rollgraph.schema.limits.bounds import DEFAULTS, Limits
from rollgraph.schema.limits.price import Paid

# Clocks differ: whoever verifies a token forgives that much of its end, and so its holder is known.
LEEWAY = timedelta(seconds=30)

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

    Rollouts come from the mirror, as far as the caller sees them, and change with its version. The
    time and the clusters' states change by themselves. An answer may be kept, for callers who see
    the same, as long as nothing changes that it has asked.

    Args:
        mirror: The fleet's model.
        now: When the request arrived, in UTC; one request sees one time.
        patience: How long a silent API server is believed to be alive.
        request_id: Names the request in logs and in masked errors.
        about: The gateway that answers.
        fragments: Parts of answers that are kept; None keeps nothing.
        caller: Who asks, and what they may see and do.
        actor: Carries out actions; None where there is nothing but questions.
        audit: Remembers who wanted what; None remembers nothing.
        news: Tells what changes; None where nobody can subscribe.
        authority: Says what the caller may do later on; None if that never changes.
        clock: Tells the time later on; None if it stands still.

    Attributes:
        fleet_reads: How often something was asked that changes with the mirror's version.
        moment_reads: How often something was asked that changes by itself, or that is the caller's
            alone.
        caller_reads: How often something was asked that is the caller's alone.
        resume_after: The cursor of the last event that the caller got of the stream that they ask
            for, if the transport has its own way to say it (`Last-Event-ID`); "" if not.
        on_action: Called when the request turns out to be one that acts, and so may take longer.
        paid: What the request has taken of its caller's budget; None where nobody counts.
    """

    __slots__ = (
        "_actor",
        "_audit",
        "_caller",
        "_clock",
        "_mirror",
        "_news",
        "_now",
        "_refusals",
        "_seen",
        "about",
        "authority",
        "caller_reads",
        "fleet_reads",
        "fragments",
        "moment_reads",
        "on_action",
        "paid",
        "patience",
        "request_id",
        "resume_after",
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
        actor: Acting | None = None,
        audit: AuditLog | None = None,
        news: Newsroom | None = None,
        authority: Authority | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._mirror = mirror
        self._now = now
        self._caller = caller
        self._actor = actor
        self._audit = audit
        self._news = news
        self._clock = clock
        self._refusals: set[tuple[str, Decision, RolloutRef | None]] = set()
        self._seen = SeenFleet(mirror, caller.rights)
        self.patience = patience
        self.request_id = request_id
        self.about = about if about is not None else About()
        self.fragments = fragments
        self.authority = authority
        self.fleet_reads = 0
        self.moment_reads = 0
        self.caller_reads = 0
        self.resume_after = ""
        self.on_action: Callable[[], None] = lambda: None
        self.paid: Paid | None = None

    def later(self, caller: Caller) -> "Context":
        """The surroundings of an event of a stream: of its own moment, with notes of its own."""
        return Context(
            self._mirror,
            self.time(),
            self.patience,
            self.request_id,
            self.about,
            fragments=self.fragments,
            caller=caller,
            actor=self._actor,
            audit=self._audit,
            news=self._news,
            authority=self.authority,
            clock=self._clock,
        )

    def time(self) -> datetime:
        """The present, which goes on while a stream lasts; `now` does not."""
        return self._now if self._clock is None else self._clock.now()

    @property
    def news(self) -> Newsroom:
        """Tells what changes."""
        if self._news is None:
            raise LookupError("whoever made this context has not said who tells the news")
        return self._news

    @property
    def fleet(self) -> SeenFleet:
        """The rollouts that the caller sees; clusters are asked of `cluster` and `clusters`."""
        self.fleet_reads += 1
        return self._seen

    @property
    def now(self) -> datetime:
        """When the request arrived."""
        self.moment_reads += 1
        return self._now

    @property
    def caller(self) -> Caller:
        """Who asks, with their token if it is passed on."""
        self.moment_reads += 1
        self.caller_reads += 1
        return self._caller

    @property
    def budget(self) -> Paid | None:
        """What the request has taken of its caller's budget, and what is left of that."""
        self.moment_reads += 1
        self.caller_reads += 1
        return self.paid

    @property
    def actor(self) -> Acting:
        """Carries out actions."""
        if self._actor is None:
            raise LookupError("whoever made this context has not said who acts")
        return self._actor

    @property
    def audit(self) -> AuditLog:
        """Who wanted what, and what came of it."""
        self.moment_reads += 1
        self.caller_reads += 1
        if self._audit is None:
            raise LookupError("whoever made this context has not said where the audit is")
        return self._audit

    def tell_refusal(self, verb: str, decision: Decision, ref: RolloutRef | None = None) -> None:
        """Tells the audit that the caller may not do something, if somebody keeps one.

        Once in a request: a field that is refused on each of 200 rollouts is one thing to know.
        """
        refusal = (verb, decision, ref)
        if self._audit is not None and refusal not in self._refusals:
            self._refusals.add(refusal)
            self._audit.record(
                AuditEntry(
                    viewer=self._caller.viewer,
                    verb=verb,
                    result=Result.REFUSED,
                    decision=decision,
                    ref=ref,
                    request_id=self.request_id,
                )
            )

    @property
    def rights(self) -> Rights:
        """What the caller may do; `fleet`, `cluster` and `clusters` settle what they see."""
        return self.caller.rights

    def check_login(self) -> None:
        """Raises `UnauthenticatedViewerError` if the caller's login has ended meanwhile."""
        end = self._caller.viewer.expires_at
        if end is not None and end + LEEWAY <= self._now:
            raise UnauthenticatedViewerError("the login has ended: log in again")

    @property
    def scopes(self) -> frozenset[Scope]:
        """What the caller's token is good for. Parts of answers are kept apart by it."""
        return frozenset(scope for scope in Scope if self._caller.rights.may_use(scope).allowed)

    def demand(self, scope: Scope, action: str) -> None:
        """Raises `NotAllowedError` if the caller's token has been narrowed to less."""
        decision = self._caller.rights.may_use(scope)
        if not decision.allowed:
            raise NotAllowedError(decision, action)

    def may(self, verb: Verb, ref: RolloutRef) -> Decision:
        """Whether the caller may do that to a rollout, which may not exist."""
        return self._caller.rights.may(verb, ref, self._mirror.rollout(ref))

    def cluster(self, name: str) -> ClusterView | None:
        """What is known of a cluster itself, if the caller sees it."""
        self.moment_reads += 1
        return self._seen.cluster(name)

    def clusters(self) -> Collection[ClusterView]:
        """What is known of every cluster that the caller sees."""
        self.moment_reads += 1
        return self._seen.clusters()

    def some_unread(self) -> bool:
        """Whether a cluster has not been read yet, so that the caller may see more afterwards."""
        self.moment_reads += 1
        return self._seen.some_unread()

    def cluster_of_seen(self, name: str) -> ClusterView | None:
        """What is known of the cluster of something that the caller sees, and so sees it too."""
        self.moment_reads += 1
        return self._mirror.cluster(name)


Info = strawberry.Info[Context, None]
