"""One API server over HTTP."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from datetime import datetime
from email.utils import parsedate_to_datetime
from hashlib import blake2b, sha256
from ssl import SSLContext
from typing import Any

import aiohttp
import anyio
import msgspec

from rollgraph.adapters.kubernetes.credentials import Credentials
from rollgraph.adapters.kubernetes.failures import refused, translated
from rollgraph.adapters.kubernetes.lines import LineSplitter
from rollgraph.adapters.kubernetes.session import new_session
from rollgraph.adapters.kubernetes.versions import (
    CONTROLLER_SELECTOR,
    argo_rollouts_version,
    kubernetes_version,
    namespace_uid,
)
from rollgraph.core.errors import (
    ForbiddenError,
    NotFoundError,
    NotInstalledError,
    RollgraphError,
)
from rollgraph.core.objects import decode
from rollgraph.core.objects.decode import ObjectList, WatchEvent
from rollgraph.core.refs import Kind
from rollgraph.ports import ServerVersions

# Seconds. A watch has no total: it may be quiet for as long as it lives. But a live one brings a
# bookmark about each minute, so one that is silent for longer than two is dead. DNS is not part of
# sock_connect, so connect bounds both.
CONNECT = 10.0
SOCK_CONNECT = 5.0
SOCK_READ = 150.0
# The server is asked to end a watch in time; if it has not after so many seconds more, we do.
WATCH_OVERTIME = 30.0
_SHORT = aiohttp.ClientTimeout(total=10)

# Seconds until the version of Argo Rollouts is asked for again: somebody might have upgraded it.
ARGO_ROLLOUTS_EVERY = 3600.0

# Every ReplicaSet and pod that Argo Rollouts makes has this label, those of experiments, too.
_OURS = {"labelSelector": "rollouts-pod-template-hash"}
# Of all events of a cluster, those about its pods are nine in ten.
_ABOUT_ROLLOUTS = {"fieldSelector": "involvedObject.kind=Rollout"}
_PATHS: dict[Kind, tuple[str, str, dict[str, str]]] = {
    Kind.ROLLOUT: ("apis/argoproj.io/v1alpha1", "rollouts", {}),
    Kind.ANALYSIS_RUN: ("apis/argoproj.io/v1alpha1", "analysisruns", {}),
    Kind.EXPERIMENT: ("apis/argoproj.io/v1alpha1", "experiments", {}),
    Kind.REPLICA_SET: ("apis/apps/v1", "replicasets", _OURS),
    Kind.DEPLOYMENT: ("apis/apps/v1", "deployments", {}),
    Kind.POD: ("api/v1", "pods", _OURS),
    Kind.EVENT: ("api/v1", "events", _ABOUT_ROLLOUTS),
}
# The first of all namespaces; nobody can make it anew.
_OLDEST = "kube-system"
_CONTROLLER = {"labelSelector": CONTROLLER_SELECTOR, "resourceVersion": "0"}


class KubernetesListWatch:
    """A `ListWatch` on aiohttp.

    Args:
        server: The API server's address; a path in it is kept.
        credentials: Who we are.
        tls: What we trust; None for a server without TLS.
        server_name: The name to expect in its certificate, if not that of its address.
        proxy: An HTTP proxy in between.
        compressed: Whether lists are asked for compressed; a server nearby may be faster without.
        patience: Seconds for which a silent connection is believed to be alive.
    """

    def __init__(
        self,
        server: str,
        credentials: Credentials,
        *,
        tls: SSLContext | None = None,
        server_name: str = "",
        proxy: str | None = None,
        compressed: bool = True,
        patience: float = SOCK_READ,
    ) -> None:
        self._server = server.rstrip("/")
        self._credentials = credentials
        self._patience = patience
        self._encoding = {"Accept-Encoding": "gzip" if compressed else "identity"}
        self._options: dict[str, Any] = {"allow_redirects": False, "proxy": proxy}
        if server_name:
            self._options["server_hostname"] = server_name
        self._argo_rollouts = ""
        self._asked_at = -ARGO_ROLLOUTS_EVERY
        self._session = new_session(tls)  # each watch keeps a connection
        vouching = tls.get_ca_certs(binary_form=True) if tls is not None else []
        self._authorities = sorted(sha256(each).hexdigest() for each in vouching)

    async def list(
        self,
        kind: Kind,
        *,
        namespace: str = "",
        resource_version: str = "",
        continue_: str = "",
        limit: int | None = None,
    ) -> ObjectList:
        """One page of a list."""
        params = {"resourceVersion": resource_version, "continue": continue_}
        if limit is not None:
            params["limit"] = str(limit)
        return await self.page(_path(kind, namespace), _query(kind, params))

    async def page(self, path: str, query: Mapping[str, str]) -> ObjectList:
        """One page of a list of whatever is at a path; fails as `list` does."""
        limits = aiohttp.ClientTimeout(
            connect=CONNECT, sock_connect=SOCK_CONNECT, sock_read=self._patience
        )
        return decode.object_list(await self._get(path, query, limits))

    @asynccontextmanager
    async def watch(
        self,
        kind: Kind,
        *,
        namespace: str = "",
        resource_version: str,
        timeout: float,  # noqa: ASYNC109 - the server's, not ours
        initial_events: bool = False,
    ) -> AsyncIterator[AsyncIterator[WatchEvent]]:
        """A stream of changes."""
        params = {"resourceVersion": resource_version}
        if initial_events:
            params |= {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan"}
        async with self.stream(_path(kind, namespace), _query(kind, params), timeout) as events:
            yield events

    @asynccontextmanager
    async def stream(
        self,
        path: str,
        query: Mapping[str, str],
        timeout: float,  # noqa: ASYNC109 - the server's, not ours
    ) -> AsyncIterator[AsyncIterator[WatchEvent]]:
        """A stream of changes of whatever is at a path; ends and fails as `watch` does."""
        params = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(int(timeout)),
            **query,
        }
        limits = aiohttp.ClientTimeout(
            total=timeout + WATCH_OVERTIME,
            connect=CONNECT,
            sock_connect=SOCK_CONNECT,
            sock_read=self._patience,
        )
        # Not compressed: each event would wait for its block, and each stream cost a window.
        plain = {"Accept-Encoding": "identity"}
        request = self._request(path, params, limits, plain)
        async with request as response, aclosing(_events(response)) as events:
            try:
                yield events
            finally:
                response.close()  # nobody else can use a connection with half a stream in it

    async def versions(self) -> ServerVersions:
        """The server's version, and that of Argo Rollouts as known by now."""
        kubernetes = kubernetes_version(await self._get("version", {}, _SHORT))
        now = anyio.current_time()
        if now - self._asked_at >= ARGO_ROLLOUTS_EVERY:
            self._asked_at = now
            self._argo_rollouts = await self._argo_rollouts_version()
        return ServerVersions(kubernetes, self._argo_rollouts)

    async def time(self) -> datetime | None:
        """The `Date` of an answer."""
        async with self._request("version", {}, _SHORT, self._encoding) as response:
            return _date(response.headers.get("Date", ""))

    async def identity(self) -> str:
        """Of the namespace kube-system, which lives as long as the cluster; of the address and who
        may vouch for it, where that may not be read.
        """
        try:
            uid = namespace_uid(await self._get(f"api/v1/namespaces/{_OLDEST}", {}, _SHORT))
        except (ForbiddenError, NotInstalledError, NotFoundError):
            uid = ""
        cluster = [uid] if uid else [self._server, *self._authorities]
        digest = blake2b(msgspec.json.encode([cluster, _PATHS]), digest_size=16)
        return digest.hexdigest()

    async def close(self) -> None:
        """Closes every connection."""
        await self._session.close()

    async def _argo_rollouts_version(self) -> str:
        """The tag of the controller's image; "" if it is not to be found, or not for us to see."""
        try:
            body = await self._get(_path(Kind.DEPLOYMENT, ""), _CONTROLLER, _SHORT)
            return argo_rollouts_version(body)
        except RollgraphError:
            return ""

    async def _get(
        self, path: str, query: Mapping[str, str], limits: aiohttp.ClientTimeout
    ) -> bytes:
        async with self._request(path, query, limits, self._encoding) as response:
            with translated():
                return await response.read()

    @asynccontextmanager
    async def _request(
        self,
        path: str,
        query: Mapping[str, str],
        limits: aiohttp.ClientTimeout,
        more: Mapping[str, str],
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """One GET that was answered with 200."""
        headers = [
            *await self._credentials.headers(),
            *more.items(),
            ("Accept", "application/json"),
        ]
        async with AsyncExitStack() as stack:
            with translated():
                response = await stack.enter_async_context(
                    self._session.get(
                        f"{self._server}/{path}",
                        params=query,
                        headers=headers,
                        timeout=limits,
                        **self._options,
                    )
                )
                if response.status != 200:
                    raise await refused(response)
            yield response


async def _events(response: aiohttp.ClientResponse) -> AsyncGenerator[WatchEvent]:
    """The events of a stream.

    A line that is none ends it: a load balancer's page, or the half of a line that is left when a
    server dies.
    """
    splitter = LineSplitter()
    while chunk := await _chunk(response):
        for line in splitter.feed(chunk):
            yield decode.watch_event(line)
    if rest := splitter.rest():
        yield decode.watch_event(rest)


async def _chunk(response: aiohttp.ClientResponse) -> bytes:
    """What has arrived; b"" at the end."""
    with translated():
        return await response.content.readany()


def _date(header: str) -> datetime | None:
    try:
        return parsedate_to_datetime(header)
    except ValueError:
        return None


def _path(kind: Kind, namespace: str) -> str:
    api, plural, _ = _PATHS[kind]
    return f"{api}/namespaces/{namespace}/{plural}" if namespace else f"{api}/{plural}"


def _query(kind: Kind, params: Mapping[str, str]) -> dict[str, str]:
    """With the kind's selector, without what is empty: "" is what a server takes it for anyway."""
    return {name: text for name, text in params.items() if text} | _PATHS[kind][2]
