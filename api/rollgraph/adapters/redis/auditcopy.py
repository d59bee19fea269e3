"""What one gateway has read of the audit that all write."""

from collections import deque
from collections.abc import Iterable
from itertools import chain

import anyio

from rollgraph.adapters.redis.auditrows import unpacked
from rollgraph.adapters.redis.failures import translated
from rollgraph.adapters.redis.keys import Keys
from rollgraph.adapters.redis.opening import Client
from rollgraph.adapters.redis.script import Script
from rollgraph.core.audit import AuditRow

SHELVES = ("changes", "others")
# Rows that are read at once: some 200 KiB.
PART = 500

# KEYS: a shelf, the counts. ARGV: the place of the last row that was read, how many may be read.
# Answers the audit's name with the server's run, how many rows are forgotten, the place of the
# first row, and rows. A server that took over from another may give places that were given before.
READ = """
local server = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
local counts = redis.call('HMGET', KEYS[2], 'name', 'forgotten')
local first = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1]
local rows = redis.call('XRANGE', KEYS[1], '(' .. ARGV[1], '+', 'COUNT', ARGV[2])
return {(counts[1] or '') .. server, counts[2] or '0', first and first[1] or '', rows}
"""
_BEGINNING = (0, 0)


class AuditCopy:
    """The rows on Redis, as they were when they were last read; only newer ones are read again.

    Args:
        redis: The client.
        keys: Where things are.

    Attributes:
        forgotten: Rows that are not there any more.
    """

    def __init__(self, redis: Client, keys: Keys) -> None:
        self.forgotten = 0
        self._keys = keys
        self._read = Script(redis, READ)
        self._copies = {name: _Copy() for name in SHELVES}
        self._turn = anyio.Lock()

    def rows(self) -> Iterable[AuditRow]:
        """All rows, in no order."""
        return chain.from_iterable(copy.rows() for copy in self._copies.values())

    async def update(self) -> None:
        """Reads what is new, and forgets what is gone. Raises `BrokerError`."""
        async with self._turn:
            for name in SHELVES:
                while not await self._update(name):
                    pass

    async def _update(self, name: str) -> bool:
        """Reads a part; True once there is no more."""
        copy = self._copies[name]
        with translated("audit"):
            keys = [self._keys.audit(name), self._keys.audit_counts]
            of, forgotten, first, rows = await self._read(keys, [copy.last, PART])
        self.forgotten = int(forgotten)
        if of != copy.of:  # another audit, or another server has it
            self._copies[name] = _Copy(of)
            return False
        copy.take(first.decode(), [(place.decode(), fields[1]) for place, fields in rows])
        return len(rows) < PART


class _Copy:
    """What was read of one shelf."""

    def __init__(self, of: bytes = b"") -> None:
        self.of = of
        self._last = _BEGINNING
        self._rows: deque[tuple[tuple[int, int], AuditRow]] = deque()

    @property
    def last(self) -> str:
        """The place of the last row that was read."""
        return "{}-{}".format(*self._last)

    def rows(self) -> Iterable[AuditRow]:
        """All rows."""
        return (row for _, row in self._rows)

    def take(self, first: str, rows: Iterable[tuple[str, bytes]]) -> None:
        """Adds rows, and forgets those before the first one."""
        for place, body in rows:
            self._last = _place(place)
            if (row := unpacked(body)) is not None:
                self._rows.append((self._last, row))
        if not first:
            self._rows.clear()
        while self._rows and self._rows[0][0] < _place(first):
            self._rows.popleft()


def _place(text: str) -> tuple[int, int]:
    milliseconds, _, number = text.partition("-")
    return int(milliseconds), int(number)
