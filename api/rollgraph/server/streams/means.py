"""What all streams of a process share."""

from dataclasses import dataclass, field

from rollgraph.server.streams.asking import Asking
from rollgraph.server.streams.drain import Drain
from rollgraph.server.streams.lifetime import Lifetime
from rollgraph.server.streams.places import Places


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds for each stream; times are in seconds.

    Attributes:
        init_timeout: How long a WebSocket may stay without saying who asks.
        heartbeat: How often something is sent where nothing happens.
        patience: How long a client may take nothing of what is sent, or not answer a ping.
        per_connection: Operations at a time on one WebSocket.
    """

    init_timeout: float = 10.0
    heartbeat: float = 15.0
    patience: float = 20.0
    per_connection: int = 100


@dataclass(frozen=True, slots=True)
class Means:
    """What a stream needs.

    Attributes:
        asking: Executes what is asked.
        lifetime: Tells when a login ends.
        places: Where operations may go on.
        drain: Tells when the process stops.
        rules: The times and numbers.
    """

    asking: Asking
    lifetime: Lifetime
    places: Places = field(default_factory=Places)
    drain: Drain = field(default_factory=Drain)
    rules: Rules = field(default_factory=Rules)
