"""Rows of the audit as bytes, with a first byte that says which form they have; see `frames`."""

import zlib

import msgspec

from rollgraph.core.audit import AuditRow

FORM = b"\x01"
# Bytes that a row may have unpacked: its texts are bounded, and make 60 KiB at the most.
LONGEST = 1024 * 1024

_encode = msgspec.msgpack.Encoder().encode
_rows = msgspec.msgpack.Decoder(AuditRow)


def packed(row: AuditRow) -> bytes:
    """A row's bytes."""
    return FORM + zlib.compress(_encode(row), 1)


def unpacked(body: bytes) -> AuditRow | None:
    """A row from its bytes; None for one that another version has written."""
    if body[:1] != FORM:
        return None
    try:
        return _rows.decode(zlib.decompressobj().decompress(body[1:], LONGEST))
    except (zlib.error, msgspec.DecodeError):
        return None
