"""What the core of Rollgraph needs from the outside, and what it may rely on.

A port speaks of intents, not of a technology. Each states its guarantees here, where it is
declared; one contract suite (`tests/contract`) holds every adapter to them.
"""

from rollgraph.ports.audit import AuditLog
from rollgraph.ports.budgets import Budgets
from rollgraph.ports.clock import Clock
from rollgraph.ports.documents import DocumentFiles, DocumentStore
from rollgraph.ports.feeds import Broker, Feed, Leases, Standing
from rollgraph.ports.handover import Handover
from rollgraph.ports.logins import LoginProvider, Sealing, SessionStore, TokenVerifier
from rollgraph.ports.model import Mirror, Projection
from rollgraph.ports.news import Listening, Newsroom
from rollgraph.ports.observing import (
    FeedObserver,
    OperationObserver,
    PolicyObserver,
    WatchObserver,
)
from rollgraph.ports.patching import AccessQuestion, OpenPatcher, Patcher, Reviewed
from rollgraph.ports.receipts import Receipts
from rollgraph.ports.rights import Authority, Enforcer, Ownership, PolicySource, Rights
from rollgraph.ports.spokes import Spoke, SpokeSource
from rollgraph.ports.tracing import Tracing
from rollgraph.ports.watching import ListWatch, OpenListWatch, ServerVersions

__all__ = [
    "AccessQuestion",
    "AuditLog",
    "Authority",
    "Broker",
    "Budgets",
    "Clock",
    "DocumentFiles",
    "DocumentStore",
    "Enforcer",
    "Feed",
    "FeedObserver",
    "Handover",
    "Leases",
    "ListWatch",
    "Listening",
    "LoginProvider",
    "Mirror",
    "Newsroom",
    "OpenListWatch",
    "OpenPatcher",
    "OperationObserver",
    "Ownership",
    "Patcher",
    "PolicyObserver",
    "PolicySource",
    "Projection",
    "Receipts",
    "Reviewed",
    "Rights",
    "Sealing",
    "ServerVersions",
    "SessionStore",
    "Spoke",
    "SpokeSource",
    "Standing",
    "TokenVerifier",
    "Tracing",
    "WatchObserver",
]
