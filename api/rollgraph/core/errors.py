"""Every error that Rollgraph raises on purpose.

    RollgraphError
    ├── ConfigError          a setting, a file or a flag is wrong; the process should not start
    │   └── PolicyError          a policy is wrong; while running, the last good one stays
    ├── BadRequestError      what the caller asked for makes no sense, and never will
    │   ├── BadCursorError
    │   ├── BadFilterError
    │   └── KeyTakenError    an idempotency key stands for another request
    ├── NotAllowedError      a viewer may not do what they ask for
    ├── UnauthenticatedViewerError   a caller's token or session is missing, wrong or at its end
    ├── IdentityProviderError        who would know a caller does not answer
    ├── BrokerError          the store between workers and gateways does not answer
    │   └── FencedError      somebody else writes there now, or it has lost what was written
    ├── RemoteError          a Rollgraph elsewhere, which the command line asks, cannot be asked
    ├── UnreadableError      an object or answer that is not what the API promises
    └── SpokeError           a spoke's API server could not, or would not, answer
        ├── UnreachableError       no connection, or it broke
        │   └── UnansweredError    it broke after a change was sent: nobody knows what became of it
        ├── UnauthenticatedError   401: the credentials are wrong or expired
        ├── ForbiddenError         403: the credentials lack a right
        ├── NotInstalledError      404 on a collection: the spoke does not know this kind
        ├── NotFoundError          404 on an object: there is none of that name
        ├── ConflictError          409: the object has changed since the version that was named
        ├── ExpiredError           410: the resourceVersion is too old to go on from
        ├── TooLargeVersionError   504: the resourceVersion is newer than the server's cache
        ├── TooManyRequestsError   429: the server asks us to wait
        ├── InvalidRequestError    400 or 422: the server does not understand the request
        └── ServerError            any other status

A `SpokeError` says which spoke by the place that catches it: one reflector watches one spoke.
The tree is translated to GraphQL in one table, `rollgraph.schema.errors`.
"""

from rollgraph.core.decision import Decision


class RollgraphError(Exception):
    """Something that Rollgraph can explain went wrong."""


class ConfigError(RollgraphError):
    """A setting is wrong: the message says which file or flag, which key, and what was expected."""


class PolicyError(ConfigError):
    """A policy is wrong: a line for each problem says where it is, what is there and expected."""


class BadRequestError(RollgraphError):
    """The request is well-formed but makes no sense; repeating it will not help."""


class BadCursorError(BadRequestError):
    """A paging cursor was not made by this server for this order."""


class BadFilterError(BadRequestError):
    """A filter or label selector cannot be understood."""


class KeyTakenError(BadRequestError):
    """An idempotency key was used for another request."""


class NotAllowedError(RollgraphError):
    """A viewer may not do what they ask for.

    Args:
        decision: Who refused, and what is missing.
        action: What was refused, as the schema's `@rbac` names it: "promote".
    """

    def __init__(self, decision: Decision, action: str) -> None:
        super().__init__(decision.message or f"you may not {action} here")
        self.decision = decision
        self.action = action


class UnauthenticatedViewerError(RollgraphError):
    """A caller cannot be told by what they sent: the message says which check failed, no more."""


class TokenExpiredError(UnauthenticatedViewerError):
    """A login has ended while a stream lasted: the reader may come back with a fresh one."""


class IdentityProviderError(RollgraphError):
    """Whoever would know a caller does not answer, or not what was agreed; try again later."""


class BrokerError(RollgraphError):
    """What carries facts from workers to gateways does not answer, or not what was agreed."""


class FencedError(BrokerError):
    """Whoever writes has been replaced, or what was written is lost: nothing was written."""


class RemoteError(RollgraphError):
    """A Rollgraph elsewhere cannot be asked; the message is for a person at the command line."""


class UnreadableError(RollgraphError):
    """An object or an answer of a spoke is not what its API promises."""


class SpokeError(RollgraphError):
    """A spoke's API server could not, or would not, answer.

    Args:
        message: What happened, for a person.
        retry_after: Seconds the server asked us to wait, if it did.
        code: The HTTP status; 0 if there was no answer.
        reason: The server's reason in a word, such as `Invalid`; "" if it gave none.
    """

    def __init__(
        self,
        message: str,
        *,
        retry_after: float | None = None,
        code: int = 0,
        reason: str = "",
    ) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.code = code
        self.reason = reason


class UnreachableError(SpokeError):
    """No connection could be made, or it broke."""


class UnansweredError(UnreachableError):
    """A change was sent, and no answer came: it may have been carried out, or will be yet."""


class UnauthenticatedError(SpokeError):
    """401: the spoke does not accept the credentials."""


class ForbiddenError(SpokeError):
    """403: the credentials are known but lack a right."""


class NotInstalledError(SpokeError):
    """404 on a collection: this spoke does not serve the kind."""


class NotFoundError(SpokeError):
    """404 on an object: there is none of that name."""


class ConflictError(SpokeError):
    """409: the object has changed since the version that the request named; nothing was done."""


class ExpiredError(SpokeError):
    """410: the resourceVersion is no longer in the server's history; list anew."""


class TooLargeVersionError(SpokeError):
    """504 with cause ResourceVersionTooLarge: the server's cache is behind this resourceVersion."""


class TooManyRequestsError(SpokeError):
    """429: wait, then do the same again; nothing is lost."""


class InvalidRequestError(SpokeError):
    """400 or 422: the server does not understand the request, for instance WatchList."""


class ServerError(SpokeError):
    """Any other status, 500 and 502 among them."""
