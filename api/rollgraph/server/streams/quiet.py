"""Tasks that are ended from outside, and leave nothing behind."""

from collections.abc import Awaitable, Callable
from typing import TypeVarTuple

import anyio

Ts = TypeVarTuple("Ts")


async def quietly(run: Callable[[*Ts], Awaitable[None]], *arguments: *Ts) -> None:
    """Runs something as a task of its own, for whose cancellation its group is cancelled.

    anyio 4.16 remembers with which error a task was cancelled in a frame that is part of the
    error's own traceback. So all that the task knew of, 500 objects of a WebSocket, stayed until
    Python looked for garbage; 1,000 clients that hung up were a pause of a second.
    """
    try:
        await run(*arguments)
    except anyio.get_cancelled_exc_class():
        return
