"""What a Status means, in all the wordings of a decade of API servers."""

import pytest

from rollgraph.core.errors import (
    ExpiredError,
    ForbiddenError,
    ServerError,
    SpokeError,
    TooLargeVersionError,
    TooManyRequestsError,
)
from rollgraph.core.objects.decode import Status, StatusCause, StatusDetails
from rollgraph.core.refusals import refusal

TOO_LARGE = "Too large resource version: 12, current: 0"


def caused_by(**cause: str) -> StatusDetails:
    return StatusDetails(causes=[StatusCause(**cause)])


@pytest.mark.parametrize(
    ("code", "status", "error"),
    [
        (410, Status(), ExpiredError),
        (410, Status(410, "Expired", "too old"), ExpiredError),
        (0, Status(reason="Gone"), ExpiredError),
        (504, Status(504, "Timeout", "", caused_by(reason="ResourceVersionTooLarge")), None),
        (504, Status(504, "Timeout", "", caused_by(message="Too large resource version")), None),
        (504, Status(504, "Timeout", TOO_LARGE), None),
        (504, Status(504, "Timeout", "it took too long"), ServerError),
        (500, Status(500, "InternalError", TOO_LARGE), ServerError),
        (403, Status(403, "Forbidden", "no"), ForbiddenError),
        (502, Status(), ServerError),
        (0, Status(), ServerError),
    ],
)
def test_a_status_is_one_error(code: int, status: Status, error: type[SpokeError] | None) -> None:
    assert type(refusal(code, status)) is (error or TooLargeVersionError)


def test_the_servers_words_are_kept_and_missing_ones_made_up() -> None:
    assert str(refusal(403, Status(message="pods is forbidden"))) == "pods is forbidden"
    assert str(refusal(502, Status())) == "HTTP 502 Bad Gateway"
    assert str(refusal(0, Status())) == "HTTP 0"


def test_a_header_that_asks_for_a_wait_goes_before_the_body() -> None:
    asked = Status(429, details=StatusDetails(retry_after_seconds=5))
    assert type(refusal(429, asked)) is TooManyRequestsError
    assert refusal(429, asked).retry_after == 5
    assert refusal(429, asked, retry_after=0).retry_after == 0
    assert refusal(429, Status()).retry_after is None
