"""What acts on clusters, put together."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from rollgraph.acting.actor import Actor
from rollgraph.acting.arrivals import Arrivals
from rollgraph.acting.identities import Identities, Naming
from rollgraph.acting.patchers import Patchers
from rollgraph.acting.performing import Performer
from rollgraph.acting.repeats import Repeats
from rollgraph.acting.tickets import Tickets
from rollgraph.core.audit import AuditEntry
from rollgraph.ports import Clock, Mirror, Projection, Receipts, SpokeSource, Tracing
from rollgraph.server.settings import Acting


@dataclass(frozen=True, slots=True)
class Hands:
    """What acts, and what watching has to go through for it.

    Attributes:
        actor: Carries out actions.
        patchers: The clusters that can be acted on.
        spokes: Where the spokes come from; whoever watches it keeps `patchers` up.
        projection: Where what is watched goes; it tells the actor what has arrived.
    """

    actor: Actor
    patchers: Patchers
    spokes: SpokeSource
    projection: Projection


def hands(
    settings: Acting,
    spokes: SpokeSource,
    projection: Projection,
    mirror: Mirror,
    receipts: Receipts,
    clock: Clock,
    record: Callable[[AuditEntry], object],
    tickets: bytes | None = None,
    tracing: Tracing | None = None,
) -> Hands:
    """Puts together what acts.

    Args:
        settings: What the operator set.
        spokes: Where the spokes come from.
        projection: The write side of the fleet's model, and `mirror` its read side.
        receipts: Keeps what came of requests that may be repeated.
        clock: The time of day.
        record: Tells the audit.
        tickets: What tickets are signed with; None for a key of this process.
        tracing: Follows what is sent to clusters.
    """
    patchers = Patchers()
    arrivals = Arrivals(projection, mirror)
    naming = Naming(settings.user_prefix, settings.group_prefix)
    identities = Identities(settings.identity, naming)
    performer = Performer(patchers, identities, arrivals, mirror, clock, Random(), tracing)
    actor = Actor(mirror, performer, Repeats(receipts, clock), Tickets(clock, tickets), record)
    return Hands(actor, patchers, patchers.follow(spokes), arrivals)
