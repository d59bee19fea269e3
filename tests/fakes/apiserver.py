"""A pretended API server on a loopback port, which can misbehave in every way that was met.

It serves a `FakeCluster`. What `FakeApiServer.next` was given is answered instead, once each.
"""

import asyncio
import json
import ssl
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import TypeAlias

import msgspec
from aiohttp import web

from fakes.cluster import FakeCluster, bookmark, line, page, status
from rollgraph.core.errors import ExpiredError
from rollgraph.core.refs import Kind

Answer: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]

PLURALS = {
    "rollouts": Kind.ROLLOUT,
    "replicasets": Kind.REPLICA_SET,
    "pods": Kind.POD,
    "analysisruns": Kind.ANALYSIS_RUN,
    "experiments": Kind.EXPERIMENT,
    "events": Kind.EVENT,
    "deployments": Kind.DEPLOYMENT,
}


class Request(msgspec.Struct, frozen=True):
    """One request, as it arrived. Header names are in lower case."""

    path: str
    query: dict[str, str]
    headers: dict[str, str]


class FakeApiServer:
    """The server. Use `serving` to run one.

    Attributes:
        url: Where it is.
        requests: Everything that it was asked.
        broken: Answers each request, in place of all else, while it is set.
        streams: How many watches are open.
        close: Stops listening.
    """

    def __init__(self, cluster: FakeCluster) -> None:
        self.cluster = cluster
        self.url = ""
        self.requests: list[Request] = []
        self.broken: Answer | None = None
        self.streams = 0
        self.close: Callable[[], Awaitable[None]]
        self._killed = False
        self._connections: set[asyncio.WriteTransport] = set()
        self._next: dict[str, deque[Answer]] = defaultdict(deque)

    def next(self, plural: str, *answers: Answer) -> None:
        """What to answer, once each, to requests for a plural, or for `version`."""
        self._next[plural].extend(answers)

    def asked(self, plural: str) -> list[dict[str, str]]:
        """The query of each request for a plural."""
        return [r.query for r in self.requests if r.path.rsplit("/", 1)[-1] == plural]

    async def kill(self) -> None:
        """Ends it at once: every connection is reset, and nobody listens any more."""
        if not self._killed:
            self._killed = True
            await self.close()
        for connection in self._connections:
            connection.abort()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answers one request."""
        if request.transport is not None:
            self._connections.add(request.transport)
        headers = {name.lower(): text for name, text in request.headers.items()}
        self.requests.append(Request(request.path, dict(request.query), headers))
        plural = request.path.rsplit("/", 1)[-1]
        if self._next[plural]:
            return await self._next[plural].popleft()(request)
        if self.broken is not None:
            return await self.broken(request)
        if plural == "version":
            return web.json_response({"major": "1", "minor": "34", "gitVersion": "v1.34.4"})
        if plural not in PLURALS:
            return web.Response(status=404, text="404 page not found\n")
        if request.query.get("watch") == "true":
            return await self._watch(request, PLURALS[plural])
        held = self.cluster.objects(PLURALS[plural], _namespace(request))
        body = page(self.cluster.version, *held)
        response = web.Response(body=body, content_type="application/json")
        response.enable_compression()
        return response

    async def _watch(self, request: web.Request, kind: Kind) -> web.StreamResponse:
        self.streams += 1
        try:
            return await _streamed(request, self._events(request, kind))
        finally:
            self.streams -= 1

    async def _events(self, request: web.Request, kind: Kind) -> AsyncIterator[bytes]:
        namespace = _namespace(request)
        since = int(request.query.get("resourceVersion", "0"))
        if request.query.get("sendInitialEvents") == "true":
            since = self.cluster.version
            for held in self.cluster.objects(kind, namespace):
                yield line("ADDED", held)
            yield bookmark(since, end=True)
        try:
            async for type_, held in self.cluster.changes(kind, namespace, since):
                yield line(type_, held)
        except ExpiredError as error:
            yield line("ERROR", status(410, "Expired", str(error)))


def refusal(code: int, reason: str = "", message: str = "", **headers: str) -> Answer:
    """A Status, as an API server refuses."""

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.json_response(status(code, reason, message), status=code, headers=headers)

    return answer


def html(code: int = 502) -> Answer:
    """A load balancer's page, which with code 200 looks like a success."""

    async def answer(_: web.Request) -> web.StreamResponse:
        text = "<html>\n<head><title>Bad Gateway</title></head>\n<body>\n</body>\n</html>\n"
        return web.Response(status=code, text=text, content_type="text/html")

    return answer


def body(content: object, code: int = 200) -> Answer:
    """Any JSON."""

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(status=code, text=json.dumps(content))

    return answer


def stream(*chunks: bytes) -> Answer:
    """A watch that sends some bytes and is closed in good order."""

    async def answer(request: web.Request) -> web.StreamResponse:
        async def given() -> AsyncIterator[bytes]:
            for chunk in chunks:
                yield chunk

        return await _streamed(request, given())

    return answer


def silent(*chunks: bytes) -> Answer:
    """A watch that sends some bytes and then neither sends anything nor ends."""

    async def answer(request: web.Request) -> web.StreamResponse:
        async def given() -> AsyncIterator[bytes]:
            for chunk in chunks:
                yield chunk
            await asyncio.Event().wait()

        return await _streamed(request, given())

    return answer


async def mute(_: web.Request) -> web.StreamResponse:
    """Takes the request and never answers, as a stopped process does."""
    await asyncio.Event().wait()
    raise AssertionError


def cut(*chunks: bytes, promised: int = 4096) -> Answer:
    """A watch that breaks in the middle of a chunk: `promised` bytes are more than come."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        response.enable_chunked_encoding()
        await response.prepare(request)
        for chunk in chunks:
            await response.write(chunk)
        assert request.transport is not None
        request.transport.write(f"{promised:x}\r\n".encode() + b'{"type":"ADD')
        await asyncio.sleep(0.05)  # for it to leave before the reset does
        request.transport.abort()
        return response

    return answer


@asynccontextmanager
async def serving(
    cluster: FakeCluster | None = None, *, tls: ssl.SSLContext | None = None, port: int = 0
) -> AsyncIterator[FakeApiServer]:
    """Runs a server on loopback."""
    server = FakeApiServer(cluster if cluster is not None else FakeCluster())
    runner = web.ServerRunner(
        web.Server(server.handle, access_log=None, handler_cancellation=True),  # type: ignore[arg-type]
        shutdown_timeout=0,
    )
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port, ssl_context=tls, reuse_address=True)
    await site.start()
    server.close = site.stop
    scheme = "https" if tls is not None else "http"
    server.url = f"{scheme}://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        # First: aiohttp does not get over handlers that it has to cancel while they still stream.
        await server.kill()
        await runner.cleanup()


async def _streamed(request: web.Request, chunks: AsyncIterator[bytes]) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    response.enable_chunked_encoding()
    await response.prepare(request)
    with suppress(ConnectionError):
        async for chunk in chunks:
            await response.write(chunk)
        await response.write_eof()
    return response


def _namespace(request: web.Request) -> str:
    parts = request.path.split("/")
    return parts[parts.index("namespaces") + 1] if "namespaces" in parts else ""
