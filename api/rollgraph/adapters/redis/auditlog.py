"""The audit of all gateways together."""

import secrets

import anyio
import structlog

from rollgraph.adapters.redis.auditcopy import AuditCopy
from rollgraph.adapters.redis.auditrows import packed
from rollgraph.adapters.redis.failures import translated
from rollgraph.adapters.redis.keys import Keys
from rollgraph.adapters.redis.opening import Client
from rollgraph.adapters.redis.script import Script
from rollgraph.core import auditpages
from rollgraph.core.audit import AuditEntry, AuditRow, bounded
from rollgraph.core.auditpages import AuditPage, AuditRequest
from rollgraph.core.auditshelves import BYTES_PER_ROW, MAX_ROWS, Ids, Shelf, Shelves
from rollgraph.core.errors import BrokerError
from rollgraph.ports import Clock

# Rows that are written at once.
PART = 100
# Seconds until what could not be written is tried again, that a question waits for Redis, and that
# the end may take.
AGAIN = 1.0
READ_WITHIN = 2.0
FAREWELL = 1.0
# Seconds until Redis forgets how far a gateway that does not write any more had come. A write whose
# answer was lost is repeated as soon as Redis can be reached again.
KNOWN_FOR = 24 * 60 * 60
KEYS = Keys()

_log = structlog.get_logger(__name__)

# KEYS: a shelf, the counts, how far the writer has come. ARGV: the shelf's name, a name for the
# audit if there is none yet, rows and bytes that are kept, the number of the first of these rows
# among the writer's, the number up to which the writer knows its rows to be here, seconds for which
# that is kept, rows. Rows that are here already, because an answer was lost, are not put again; the
# rows of numbers that are left out were lost before they came here. Those that came first go first.
# An operator may have deleted a shelf: what is not there has no bytes.
PUT = """
local shelf, size = KEYS[1], ARGV[1] .. ':bytes'
if redis.call('XLEN', shelf) == 0 then
  redis.call('HDEL', KEYS[2], size)
end
redis.call('HSETNX', KEYS[2], 'name', ARGV[2])
local from, before = tonumber(ARGV[5]), 7
local come = tonumber(redis.call('HGET', KEYS[3], ARGV[1]) or ARGV[6])
redis.call('HINCRBY', KEYS[2], 'forgotten', math.max(0, from - come))
redis.call('HSET', KEYS[3], ARGV[1], math.max(come, from + #ARGV - before))
redis.call('EXPIRE', KEYS[3], ARGV[7])
local bytes = 0
for at = before + 1 + math.max(0, come - from), #ARGV do
  redis.call('XADD', shelf, '*', 'r', ARGV[at])
  bytes = bytes + #ARGV[at]
end
local all = redis.call('HINCRBY', KEYS[2], size, bytes)
local gone = 0
while redis.call('XLEN', shelf) > tonumber(ARGV[3]) or all > tonumber(ARGV[4]) do
  local first = redis.call('XRANGE', shelf, '-', '+', 'COUNT', 1)[1]
  redis.call('XDEL', shelf, first[1])
  all = all - #first[2][2]
  gone = gone + 1
end
redis.call('HSET', KEYS[2], size, all)
redis.call('HINCRBY', KEYS[2], 'forgotten', gone)
"""


class RedisAuditLog:
    """A `ports.AuditLog` on Redis, of all that write there.

    A row is kept here until it is written, which `run` has to do. What is there is read when
    somebody asks. Whoever is asked while Redis is away answers what they know.

    Args:
        redis: The client, which answers in bytes. Whoever made it closes it.
        clock: Tells when a row was made.
        max_rows: Rows that are kept, here and there; see `Shelves`. The same at all gateways.
        keys: Where things are.
    """

    def __init__(
        self, redis: Client, clock: Clock, *, max_rows: int = MAX_ROWS, keys: Keys = KEYS
    ) -> None:
        self._keys = keys
        self._clock = clock
        self._max_rows = max_rows
        self._put = Script(redis, PUT)
        self._copy = AuditCopy(redis, keys)
        self._ids = Ids()
        self._unwritten = Shelves(max_rows)
        self._writer = keys.audit_writer(secrets.token_hex(8))
        # The number of the first row of each shelf that Redis is not known to have.
        self._written = {"changes": 0, "others": 0}
        self._came = anyio.Event()
        self._turn = anyio.Lock()

    def record(self, entry: AuditEntry) -> AuditRow:
        """See `ports.AuditLog`."""
        now = self._clock.now()
        row = AuditRow(id=self._ids.next(now), at=now, entry=bounded(entry))
        self._unwritten.put(row)
        self._came.set()
        return row

    async def page(self, request: AuditRequest) -> AuditPage:
        """See `ports.AuditLog`."""
        partial = True
        with anyio.move_on_after(READ_WITHIN):
            try:
                await self._copy.update()
                partial = False
            except BrokerError as error:
                _log.warning("audit_not_read", error=str(error))
        # One that was written a moment ago may be in both.
        rows = {row.id: row for row in self._copy.rows()}
        rows |= {row.id: row for row in self._unwritten.newest_first()}
        return auditpages.page(
            [rows[id_] for id_ in sorted(rows, reverse=True)],
            request,
            forgotten=self._copy.forgotten + self._lost(),
            partial=partial,
        )

    async def run(self) -> None:
        """Writes what is recorded until cancelled. Raises nothing that Redis can cause."""
        away = False
        while True:
            self._came = anyio.Event()
            try:
                await self.write()
                if away:
                    _log.info("audit_written_again")
                away = False
                await self._came.wait()
            except BrokerError as error:
                if not away:
                    _log.warning("audit_not_written", error=str(error))
                away = True
                await anyio.sleep(AGAIN)

    async def close(self) -> None:
        """Writes what is left, if that is possible within a moment; the log has it in any case."""
        with anyio.move_on_after(FAREWELL, shield=True):
            try:
                await self.write()
            except BrokerError as error:
                _log.warning("audit_not_written", error=str(error))

    async def write(self) -> None:
        """Writes all that is not written yet. Raises `BrokerError`."""
        async with self._turn:
            for name, shelf in self._shelves().items():
                await self._write(name, shelf)
            # So that one's own rows are known here while Redis is away.
            await self._copy.update()

    def _shelves(self) -> dict[str, Shelf]:
        return {"changes": self._unwritten.changes, "others": self._unwritten.others}

    def _lost(self) -> int:
        """Rows for which there was no room here before they were written."""
        return sum(max(0, s.gone - self._written[name]) for name, s in self._shelves().items())

    async def _write(self, name: str, shelf: Shelf) -> None:
        half = self._max_rows // 2
        most = half if name == "changes" else self._max_rows - half
        keys = [self._keys.audit(name), self._keys.audit_counts, self._writer]
        while rows := shelf.oldest(PART):
            first, written = shelf.gone, self._written[name]
            told: list[str | bytes | float]
            told = [name, secrets.token_hex(8), most, self._max_rows * BYTES_PER_ROW // 2]
            told += [first, written, KNOWN_FOR, *(packed(row) for row in rows)]
            with translated("rows of the audit"):
                await self._put(keys, told)
            self._written[name] = first + len(rows)
            shelf.take(rows)
