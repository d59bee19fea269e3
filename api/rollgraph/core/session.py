"""A person's login in a browser: what is kept here, so that the browser need not have it."""

from dataclasses import dataclass, field
from datetime import datetime

from rollgraph.core.viewer import Viewer


@dataclass(frozen=True, slots=True)
class Grant:
    """What a provider gave for a login.

    Attributes:
        viewer: The person.
        id_token: Its word on who they are. Secret, as is the next.
        refresh_token: Renews the grant; "" if it cannot be renewed.
        until: When it ends unless it is renewed.
    """

    viewer: Viewer
    id_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    until: datetime


@dataclass(frozen=True, slots=True)
class Session:
    """A login.

    Attributes:
        grant: Who it is, and for how long a provider vouches for that.
        csrf: What a page of ours must show besides the cookie. Secret.
        begun: When it began.
        used: When somebody last asked by it, give or take a minute.
    """

    grant: Grant
    csrf: str = field(repr=False)
    begun: datetime
    used: datetime


@dataclass(frozen=True, slots=True)
class PendingLogin:
    """A login that has begun and not come back. The browser keeps it, for we need not.

    Attributes:
        url: Where the browser goes; it has the next two in it.
        state: What must come back with it. Secret, as is all of this.
        nonce: What the ID token must say.
        verifier: What the provider's code is of use with (PKCE).
    """

    url: str = field(repr=False)
    state: str = field(repr=False)
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)
