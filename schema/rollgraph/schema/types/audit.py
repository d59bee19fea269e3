"""The audit: who wanted what, why, whether they might, and what came of it."""

from datetime import datetime, timedelta
from enum import StrEnum

import strawberry

from rollgraph.core import audit as core
from rollgraph.core.audit import AuditRow, Result
from rollgraph.core.auditpages import AuditPage, AuditRequest
from rollgraph.core.decision import Layer
from rollgraph.core.filtering import StringFilter as CoreStringFilter
from rollgraph.core.refs import RolloutRef
from rollgraph.core.viewer import Login
from rollgraph.schema.connections import PageInfo, page_info, window
from rollgraph.schema.context import Info
from rollgraph.schema.described import enum, resolved
from rollgraph.schema.inputs import StringFilter


class Verdict(StrEnum):
    """Whether somebody might do what they wanted."""

    ALLOWED = "ALLOWED"
    REFUSED = "REFUSED"


enum(
    Verdict,
    "AuditDecision",
    "Whether somebody might do what they wanted.",
    {"ALLOWED": "They might.", "REFUSED": "A layer refused."},
)


@strawberry.input(description="Which events of the audit; every part that is set must hold.")
class AuditEventFilter:
    """Which events of the audit; every part that is set must hold."""

    subject: StringFilter | None = strawberry.field(
        description="On the name of who wanted it.", default=None
    )
    verb: StringFilter | None = strawberry.field(description="On what was wanted.", default=None)
    cluster: StringFilter | None = strawberry.field(
        description="On the cluster's name.", default=None
    )
    namespace: StringFilter | None = strawberry.field(description="On the namespace.", default=None)
    name: StringFilter | None = strawberry.field(description="On the rollout's name.", default=None)
    operation: StringFilter | None = strawberry.field(
        description="On what belongs together, as an action's `operationId`.", default=None
    )
    decision: Verdict | None = strawberry.field(
        description="Whether they might do it.", default=None
    )
    refused_by: list[Layer] | None = strawberry.field(
        description="Refused by one of these.", default=None
    )
    result: list[Result] | None = strawberry.field(
        description="With one of these results.", default=None
    )
    since: datetime | None = strawberry.field(description="At this time or later.", default=None)
    until: datetime | None = strawberry.field(description="Before this time.", default=None)

    def core(self) -> core.AuditFilter:
        """The core's form."""
        return core.AuditFilter(
            subject=_core(self.subject),
            verb=_core(self.verb),
            cluster=_core(self.cluster),
            namespace=_core(self.namespace),
            name=_core(self.name),
            operation=_core(self.operation),
            allowed=None if self.decision is None else self.decision is Verdict.ALLOWED,
            refused_by=None if self.refused_by is None else tuple(self.refused_by),
            result=None if self.result is None else tuple(self.result),
            since=self.since,
            until=self.until,
        )


def _core(part: StringFilter | None) -> CoreStringFilter | None:
    return None if part is None else part.core()


@strawberry.type(description="The rollout that something was wanted of; it may be gone meanwhile.")
class AuditTarget:
    """The rollout that something was wanted of; it may be gone meanwhile."""

    cluster: str = strawberry.field(description="The cluster's name.")
    namespace: str = strawberry.field(description="The namespace.")
    name: str = strawberry.field(description="The rollout's name.")
    uid: str | None = strawberry.field(
        description="The rollout's uid, if it was read: another of its name has another."
    )


@strawberry.type(description="Something that somebody wanted, and what came of it.")
class AuditEvent:
    """Something that somebody wanted, and what came of it."""

    row: strawberry.Private[AuditRow]

    @resolved
    def id(self) -> strawberry.ID:
        """A UUID; of two events the later one has the greater."""
        return strawberry.ID(self.row.id)

    @resolved
    def at(self) -> datetime:
        """When the result was known."""
        return self.row.at

    @resolved
    def request_id(self) -> str | None:
        """The request that it was wanted in, as in the gateway's log."""
        return self.row.entry.request_id or None

    @resolved
    def subject(self) -> str:
        """Who wanted it, as policies name them."""
        return self.row.entry.viewer.subject

    @resolved
    def issuer(self) -> str | None:
        """Who vouches for them; null without a login."""
        return self.row.entry.viewer.issuer or None

    @resolved
    def groups(self) -> list[str]:
        """Their groups at that time; 50 at most."""
        return list(self.row.entry.viewer.groups)

    @resolved
    def login(self) -> Login:
        """How they have shown who they are."""
        return self.row.entry.viewer.login

    @resolved
    def verb(self) -> str:
        """What they wanted: a verb of policies such as `promote-full`, or `login`, `logout`,
        `load-policy`, `read-audit`."""
        return str(self.row.entry.verb)

    @resolved
    def target(self) -> AuditTarget | None:
        """Which rollout they wanted it of; null if it is about none."""
        entry = self.row.entry
        if entry.ref is None:
            return None
        ref = entry.ref
        return AuditTarget(
            cluster=ref.cluster, namespace=ref.namespace, name=ref.name, uid=entry.uid or None
        )

    @resolved
    def object(self) -> str | None:
        """What of the rollout, such as `AnalysisRun/checkout-7d4-2`; null for itself."""
        return self.row.entry.object or None

    @resolved
    def reason(self) -> str | None:
        """Why, in their own words."""
        return self.row.entry.reason or None

    @resolved
    def decision(self) -> Verdict:
        """Whether they might."""
        return Verdict.ALLOWED if self.row.entry.decision.allowed else Verdict.REFUSED

    @resolved
    def refused_by(self) -> Layer | None:
        """Who refused; null if they might."""
        return self.row.entry.decision.refused_by

    @resolved
    def missing_scopes(self) -> list[str]:
        """The scopes of which their token lacked one."""
        return list(self.row.entry.decision.missing_scopes)

    @resolved
    def result(self) -> Result:
        """What came of it."""
        return self.row.entry.result

    @resolved
    def message(self) -> str | None:
        """What came of it, for a person."""
        return self.row.entry.message or self.row.entry.decision.message or None

    @resolved
    def patches(self) -> list[str]:
        """What was sent to the cluster or would have been: objects and fields, but no values."""
        return list(self.row.entry.patches)

    @resolved
    def resource_version_before(self) -> str | None:
        """The rollout's version that it was decided on."""
        return self.row.entry.version_before or None

    @resolved
    def resource_version_after(self) -> str | None:
        """The rollout's version that it led to."""
        return self.row.entry.version_after or None

    @resolved
    def duration(self) -> timedelta:
        """From the request to the result."""
        return timedelta(seconds=self.row.entry.seconds)

    @resolved
    def operation(self) -> str | None:
        """Equal for all that belongs together: to a bulk, or to a request that was repeated."""
        return self.row.entry.operation or None

    @resolved
    def acted_as(self) -> str | None:
        """Who did it as the cluster saw it; null if the cluster was not asked."""
        return self.row.entry.acted_as or None


@strawberry.type(description="An event of the audit with its place in the list.")
class AuditEventEdge:
    """An event of the audit with its place in the list."""

    cursor: str = strawberry.field(description="The place, to go on from with `after` or `before`.")
    node: AuditEvent = strawberry.field(description="The event.")


@strawberry.type(description="A page of the audit.")
class AuditEventConnection:
    """A page of the audit."""

    page: strawberry.Private[AuditPage]

    @resolved
    def edges(self) -> list[AuditEventEdge]:
        """The events with their cursors."""
        return [AuditEventEdge(cursor=row.id, node=AuditEvent(row=row)) for row in self.page.rows]

    @resolved
    def nodes(self) -> list[AuditEvent]:
        """The events alone."""
        return [AuditEvent(row=row) for row in self.page.rows]

    @resolved
    def page_info(self) -> PageInfo:
        """Where this page lies in the list."""
        return page_info(
            [row.id for row in self.page.rows],
            has_next=self.page.has_next,
            has_previous=self.page.has_previous,
        )

    @resolved
    def total_count(self) -> int:
        """How many events match, on all pages."""
        return self.page.total

    @resolved
    def forgotten(self) -> int:
        """How many older events have had to be forgotten, whatever the filter: since the gateway
        was started, or of those that gateways keep together. The log has them."""
        return self.page.forgotten

    @resolved
    def partial(self) -> bool:
        """Whether events may be missing, because where gateways keep them together does not
        answer. Those that this one knows are here."""
        return self.page.partial


async def audit_events(
    info: Info,
    *,
    first: int | None,
    after: str | None,
    last: int | None,
    before: str | None,
    filter: AuditEventFilter | None = None,
    of: RolloutRef | None = None,
) -> AuditEventConnection:
    """A page of the audit, or of what it has of one rollout."""
    part = window(first, after, last, before)
    request = AuditRequest(
        filter=_about(of) if of else filter.core() if filter else None,
        first=part.first,
        after=part.after,
        last=part.last,
        before=part.before,
    )
    return AuditEventConnection(page=await info.context.audit.page(request))


def _about(ref: RolloutRef) -> core.AuditFilter:
    """What is about one rollout."""
    return core.AuditFilter(
        cluster=CoreStringFilter(eq=ref.cluster),
        namespace=CoreStringFilter(eq=ref.namespace),
        name=CoreStringFilter(eq=ref.name),
    )
