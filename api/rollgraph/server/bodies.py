"""How long the body of a request may be."""

from starlette.exceptions import HTTPException
from starlette.types import Message, Receive, Scope

# KiB. A portal's largest queries have some 20; what is longer only costs us.
LONGEST_BODY = 256


def bounded(scope: Scope, receive: Receive, longest: int) -> Receive:
    """Receives a body of so many KiB at most.

    Raises starlette's `HTTPException` for more, before any is read if it says so itself.
    """
    size, most = 0, longest * 1024

    async def within() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > most:
            raise _too_long(longest)
        return message

    declared = dict(scope["headers"]).get(b"content-length", b"0")
    if declared.isdigit() and int(declared) > most:
        raise _too_long(longest)
    return within


def _too_long(longest: int) -> HTTPException:
    # The rest of the body is still on its way: the connection is of no more use.
    return HTTPException(
        413,
        f"The body has more than {longest} KiB",
        {"Connection": "close"},
    )
