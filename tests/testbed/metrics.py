"""A loopback HTTP server that answers the ``web`` metric provider what the test wants."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from testbed.ports import LOOPBACK


class Metrics:
    """Values by name; ``GET /NAME`` answers ``{"value": V}``, 404 for a name without a value."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._lock = threading.Lock()
        self._values: dict[str, float] = {}
        self._served: dict[str, int] = {}

    def url(self, name: str) -> str:
        """What the metric's provider should ask."""
        return f"http://{LOOPBACK}:{self._port}/{name}"

    def set(self, name: str, value: float) -> None:
        """Answer this from now on."""
        with self._lock:
            self._values[name] = value

    def unset(self, name: str) -> None:
        """Answer 404 from now on: a measurement then ends in Error."""
        with self._lock:
            self._values.pop(name, None)

    def served(self, name: str) -> int:
        """How many measurements were asked for so far."""
        with self._lock:
            return self._served.get(name, 0)

    def answer(self, name: str) -> float | None:
        """What a measurement gets now; counts it."""
        with self._lock:
            self._served[name] = self._served.get(name, 0) + 1
            return self._values.get(name)


@contextmanager
def metrics_server() -> Iterator[Metrics]:
    """Serve metrics on loopback until the block ends."""
    server = ThreadingHTTPServer((LOOPBACK, 0), BaseHTTPRequestHandler)
    metrics = Metrics(server.server_address[1])
    server.RequestHandlerClass = _handler(metrics)
    # The default poll of 0.5 s is how long shutdown() takes.
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="testbed-metrics")
    thread.start()
    try:
        yield metrics
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(metrics: Metrics) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            value = metrics.answer(self.path.lstrip("/"))
            body = json.dumps({"value": value}).encode()
            self.send_response(404 if value is None else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing: the test's output is not the place."""

    return Handler
