"""The rights of whoever reads a stream, for as long as it lasts."""

from collections.abc import Hashable

from rollgraph.access.caller import Caller
from rollgraph.core.decision import Layer
from rollgraph.core.errors import TokenExpiredError
from rollgraph.core.verbs import Verb
from rollgraph.core.view import RolloutView
from rollgraph.schema.context import LEEWAY, Context


class Viewing:
    """A viewer's rights over time.

    Args:
        context: That of the subscription.

    Attributes:
        caller: Who reads, with their rights as they were last renewed.
        expires_at: When the login has ended for certain; None if it does not end.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self.caller = context.caller
        end = self.caller.viewer.expires_at
        self.expires_at = None if end is None else end + LEEWAY
        self._stamp: Hashable = None
        self.renew()  # who asks may have been known for as long as their connection lasts

    def check(self) -> None:
        """Raises `TokenExpiredError` once the login has ended."""
        if self.expires_at is not None and self.expires_at <= self._context.time():
            raise TokenExpiredError(
                "the login has ended: subscribe again with a fresh one, and pass the last event's"
                " `cursor` as `resumeAfter`"
            )

    def renew(self) -> bool:
        """Takes the rights of now, and says whether these may be others than before."""
        authority = self._context.authority
        if authority is None or authority.stamp == self._stamp:
            return False
        self._stamp = authority.stamp
        key = self.caller.rights.key
        self.caller = Caller(authority.rights(self.caller.viewer), self.caller.token)
        return self.caller.rights.key != key

    def shows(self, view: RolloutView) -> bool:
        """Whether a rollout may be read and watched."""
        rights = self.caller.rights
        if not rights.sees(view):
            return False
        decision = rights.may(Verb.WATCH, view.ref, view)
        # Which scope it takes is for the guard of the field, and was asked.
        return decision.allowed or decision.refused_by is Layer.SCOPE

    def context(self) -> Context:
        """The surroundings of an event that is told now."""
        return self._context.later(self.caller)
