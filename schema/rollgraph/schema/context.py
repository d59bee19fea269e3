"""What every resolver may ask: the mirror, the time, and the settings that answers depend on."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import strawberry

from rollgraph.ports import Mirror


@dataclass(frozen=True, slots=True)
class About:
    """What a gateway says of itself.

    Attributes:
        version: Rollgraph's.
        schema_hash: SHA-256 of the schema's text, in hex.
    """

    version: str = ""
    schema_hash: str = ""


@dataclass(frozen=True, slots=True)
class Context:
    """One request's surroundings.

    Attributes:
        mirror: The fleet's model.
        now: When the request arrived, in UTC; one request sees one time.
        patience: How long a silent API server is believed to be alive.
        request_id: Names the request in logs and in masked errors.
        about: The gateway that answers.
    """

    mirror: Mirror
    now: datetime
    patience: timedelta
    request_id: str = ""
    about: About = About()


Info = strawberry.Info[Context, None]
