"""The fleet's model in memory: all that one process needs, and what a replica consists of."""

from rollgraph.adapters.memory.auditlog import MemoryAuditLog
from rollgraph.adapters.memory.broker import MemoryBroker
from rollgraph.adapters.memory.leases import MemoryLeases
from rollgraph.adapters.memory.mirror import MemoryMirror
from rollgraph.adapters.memory.receipts import MemoryReceipts

__all__ = [
    "MemoryAuditLog",
    "MemoryBroker",
    "MemoryLeases",
    "MemoryMirror",
    "MemoryReceipts",
]
