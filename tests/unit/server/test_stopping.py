"""Signals stop a server, whenever they come."""

import io
import logging as standard
import signal
import sys
from collections.abc import Iterator

import anyio
import anyio.lowlevel
import pytest
import uvicorn

from rollgraph.server import logging, serve
from rollgraph.server.settings import Log


class Interrupting(io.RawIOBase):
    """Standard error; SIGTERM comes amid the first line that is written to it."""

    def __init__(self) -> None:
        self.written = b""

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        first = not self.written
        self.written += bytes(data)  # type: ignore[call-overload]
        if first:
            signal.raise_signal(signal.SIGTERM)
        return len(data)  # type: ignore[arg-type]


@pytest.fixture
def stderr(monkeypatch: pytest.MonkeyPatch) -> Iterator[Interrupting]:
    """Where the process's log goes meanwhile."""
    raw = Interrupting()
    root = standard.getLogger()
    before = root.handlers[:], root.level
    monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(io.BufferedWriter(raw)))
    logging.configure(Log())
    yield raw
    root.handlers[:] = before[0]
    root.setLevel(before[1])


async def test_a_signal_amid_a_line_of_the_log_stops_the_server_and_is_told(
    stderr: Interrupting,
) -> None:
    server = serve.Server(uvicorn.Config("none:app", log_config=None), lambda: None, anyio.sleep)

    with server.capture_signals():
        standard.getLogger("rollgraph").warning("a line")
        assert server.should_exit
        await anyio.lowlevel.checkpoint()

    lines = stderr.written.decode().splitlines()
    assert [line for line in lines if "a line" in line] == lines[:1]
    (told,) = lines[1:]
    assert "stopping" in told
    assert "SIGTERM" in told
