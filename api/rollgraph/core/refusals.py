"""What an API server means when it refuses: a status becomes one of our errors.

The adapter asks it for HTTP answers and the reflector for ERROR events, which carry the same
Status; so both know a 410 by the same rule.
"""

from http import HTTPStatus

from rollgraph.core.errors import (
    ConflictError,
    ExpiredError,
    ForbiddenError,
    InvalidRequestError,
    NotFoundError,
    NotInstalledError,
    ServerError,
    SpokeError,
    TooLargeVersionError,
    TooManyRequestsError,
    UnauthenticatedError,
)
from rollgraph.core.objects.decode import Status

_BY_CODE: dict[int, type[SpokeError]] = {
    400: InvalidRequestError,
    401: UnauthenticatedError,
    403: ForbiddenError,
    404: NotInstalledError,
    409: ConflictError,
    410: ExpiredError,
    422: InvalidRequestError,
    429: TooManyRequestsError,
}
_TOO_LARGE = "Too large resource version"


def refusal(code: int, status: Status, *, retry_after: float | None = None) -> SpokeError:
    """The error that explains a refused request.

    Args:
        code: The HTTP status, or an ERROR event's code.
        status: The explanation, empty if the server gave none that can be read.
        retry_after: Seconds, if an HTTP header asked for them; the Status may ask too.
    """
    asked = status.details.retry_after_seconds if status.details is not None else 0
    wait = retry_after if retry_after is not None else (float(asked) if asked > 0 else None)
    return _type(code, status)(
        status.message or _phrase(code), retry_after=wait, code=code, reason=status.reason
    )


def _type(code: int, status: Status) -> type[SpokeError]:
    # Up to Kubernetes 1.17 an expired version came with reason Gone, since then with Expired.
    if status.reason in {"Expired", "Gone"}:
        return ExpiredError
    if _too_large(code, status):
        return TooLargeVersionError
    if code == HTTPStatus.NOT_FOUND and status.details is not None and status.details.name:
        return NotFoundError
    return _BY_CODE.get(code, ServerError)


def _too_large(code: int, status: Status) -> bool:
    """Three wordings: by cause since 1.18.6, by a cause's message before, by the message at first.

    A server on an etcd that is too old for WatchList sends the last one for each such request.
    """
    causes = (status.details.causes if status.details is not None else None) or ()
    if any(cause.reason == "ResourceVersionTooLarge" for cause in causes):
        return True
    if code != HTTPStatus.GATEWAY_TIMEOUT and status.reason != "Timeout":
        return False
    return _TOO_LARGE in status.message or any(_TOO_LARGE in c.message for c in causes)


def _phrase(code: int) -> str:
    """What is said where the server said nothing."""
    if code == HTTPStatus.NOT_FOUND:
        # An API server answers a collection that it does not know with a page, not with a Status.
        return "the API server does not serve this kind: is Argo Rollouts installed?"
    try:
        return f"HTTP {code} {HTTPStatus(code).phrase}"
    except ValueError:
        return f"HTTP {code}"
