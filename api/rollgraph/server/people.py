"""Who asks, what they may do, what acts for them, and the audit of it."""

from collections.abc import Callable
from dataclasses import dataclass

from rollgraph.access.everything import Everything
from rollgraph.access.policies import Access
from rollgraph.acting.announcer import Announcer
from rollgraph.acting.patchers import Patchers
from rollgraph.adapters.kubernetes.argocd.adopted import ArgoCd
from rollgraph.adapters.memory import MemoryAuditLog, MemoryMirror
from rollgraph.adapters.policyfiles import PolicyFiles
from rollgraph.adapters.re2 import patterns
from rollgraph.core.audit import AuditEntry
from rollgraph.ports import Clock, PolicyObserver, SpokeSource, Tracing
from rollgraph.server.audittrail import AuditTrail, write
from rollgraph.server.auth import wiring
from rollgraph.server.auth.serviceaccounts import ServiceAccounts
from rollgraph.server.auth.wiring import Logins
from rollgraph.server.hands import Hands, hands
from rollgraph.server.settings import Auth, AuthMode, Settings
from rollgraph.server.sharing import Shared


@dataclass(frozen=True, slots=True)
class People:
    """What is for people.

    Attributes:
        access: Who may see and do what; None if everybody may do everything.
        logins: Who asks.
        hands: What acts for them.
        audit: Who wanted what, and what came of that.
        announcer: Tells clusters what was done.
    """

    access: Access | None
    logins: Logins
    hands: Hands
    audit: AuditTrail
    announcer: Announcer


def people(
    settings: Settings,
    spokes: SpokeSource,
    mirror: MemoryMirror,
    shared: Shared,
    clock: Clock,
    *,
    argocd: ArgoCd | None = None,
    observer: PolicyObserver,
    tracing: Tracing,
) -> People:
    """Puts together what is for people.

    Args:
        settings: What the operator set.
        spokes: The clusters that can be acted on.
        mirror: The fleet's model; what is watched goes through `hands` into it.
        shared: Where logins, audit and receipts are, if other processes have them, too.
        clock: The time of day.
        argocd: The Argo CD that is taken over, if one is.
        observer: Hears what deciding costs.
        tracing: Follows what is sent to clusters.
    """
    rows = shared.audit or MemoryAuditLog(clock, max_rows=settings.audit.rows)
    audit = AuditTrail(rows, [write])
    decides = access(settings, argocd, audit.record, observer)
    acting = hands(
        settings.acting,
        spokes,
        mirror,
        mirror,
        shared.receipts,
        clock,
        audit.record,
        shared.tickets,
        tracing,
    )
    reviewer = _reviewer(settings.auth, acting.patchers, clock)
    rights = decides.rights if decides else Everything
    logins = wiring.logins(settings, clock, rights, reviewer, audit.record, shared.sessions)
    announcer = Announcer(acting.patchers.create_event)
    if settings.audit.events:
        audit.tell(announcer.announce)
    return People(decides, logins, acting, audit, announcer)


def access(
    settings: Settings,
    argocd: ArgoCd | None = None,
    record: Callable[[AuditEntry], object] = lambda _: None,
    observer: PolicyObserver | None = None,
) -> Access | None:
    """Who may see and do what; None where nobody logs in.

    A policy of our own goes before Argo CD's: its files were named on purpose.
    """
    if settings.auth.mode is AuthMode.NONE:
        return None
    policy = settings.policy
    if argocd is not None and not policy.files:
        return Access(argocd.policies, patterns, argocd.ownership, record, observer)
    files = PolicyFiles(policy.files, policy.default_role, policy.match_mode)
    return Access(files, patterns, record=record, observer=observer)


def _reviewer(settings: Auth, patchers: Patchers, clock: Clock) -> ServiceAccounts | None:
    """Knows service accounts; None where their tokens are not taken."""
    if not settings.service_accounts:
        return None
    audiences = settings.service_account_audiences
    return ServiceAccounts(patchers, settings.service_accounts, audiences, clock)
