"""Who asks, with what they may do and what they have shown."""

from dataclasses import dataclass, field

from rollgraph.access.everything import Everything
from rollgraph.core.viewer import Viewer
from rollgraph.ports import Rights


@dataclass(frozen=True, slots=True)
class Caller:
    """The caller of one request.

    Attributes:
        rights: What they may see and do.
        token: Their own token, for spokes to which it is passed through; "" where there is none.
            A secret: it is never part of a text.
    """

    rights: Rights
    token: str = field(default="", repr=False)

    @property
    def viewer(self) -> Viewer:
        """Who they are."""
        return self.rights.viewer


# Whoever reaches a Rollgraph without a login.
ANYBODY = Caller(Everything())
