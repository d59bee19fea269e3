"""What an API server refuses, and the Status that explains it."""

from typing import Any

from rollgraph.simulation.manifests import Manifest, without_none
from rollgraph.simulation.resources import Resource


class ApiError(Exception):
    """A request that is refused.

    Args:
        code: The HTTP status.
        reason: Kubernetes' word for it.
        message: What happened, for a person.
        details: What it was about, and causes.
        retry_after: Seconds to wait before the next attempt.
    """

    def __init__(
        self,
        code: int,
        reason: str,
        message: str,
        details: Manifest | None = None,
        *,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details
        self.retry_after = retry_after

    def status(self) -> Manifest:
        """The body that tells it."""
        details = dict(self.details or {})
        if self.retry_after is not None:
            details["retryAfterSeconds"] = self.retry_after
        return without_none(
            {
                "kind": "Status",
                "apiVersion": "v1",
                "metadata": {},
                "status": "Failure",
                "message": self.message,
                "reason": self.reason,
                "details": details or None,
                "code": self.code,
            }
        )


def _about(resource: Resource, name: str, **more: Any) -> Manifest:
    group = resource.group or None
    return without_none({"name": name, "group": group, "kind": resource.plural, **more})


def not_found(resource: Resource, name: str) -> ApiError:
    """404: there is no such object."""
    message = f'{resource.qualified} "{name}" not found'
    return ApiError(404, "NotFound", message, _about(resource, name))


def already_exists(resource: Resource, name: str) -> ApiError:
    """409: another object has the name."""
    message = f'{resource.qualified} "{name}" already exists'
    return ApiError(409, "AlreadyExists", message, _about(resource, name))


def conflict(resource: Resource, name: str) -> ApiError:
    """409: the object is not any more as the writer has seen it."""
    message = (
        f'Operation cannot be fulfilled on {resource.qualified} "{name}": the object has been'
        " modified; please apply your changes to the latest version and try again"
    )
    return ApiError(409, "Conflict", message, _about(resource, name))


def invalid(resource: Resource, name: str, field: str, why: str) -> ApiError:
    """422: the object would make no sense."""
    message = f'{resource.kind} "{name}" is invalid: {field}: {why}'
    if resource.group:
        message = f'{resource.kind}.{resource.group} "{name}" is invalid: {field}: {why}'
    cause = {"reason": "FieldValueInvalid", "message": why, "field": field}
    return ApiError(422, "Invalid", message, _about(resource, name, causes=[cause]))


def bad_request(message: str) -> ApiError:
    """400: the request is not understood."""
    return ApiError(400, "BadRequest", message)


def expired(version: int, oldest: int) -> ApiError:
    """410: the history does not go back so far."""
    return ApiError(410, "Expired", f"too old resource version: {version} ({oldest})")


def too_large(version: int, current: int) -> ApiError:
    """504: there is no such version yet."""
    message = f"Too large resource version: {version}, current: {current}"
    cause = {"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}
    return ApiError(504, "Timeout", f"Timeout: {message}", {"causes": [cause]}, retry_after=1)
