"""Reads single objects of an API server and changes them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from ssl import SSLContext
from typing import Any
from urllib.parse import quote

import aiohttp
import msgspec
from yarl import URL

from rollgraph.adapters.kubernetes.credentials import Credentials, Headers, bearer
from rollgraph.adapters.kubernetes.failures import refused, translated
from rollgraph.adapters.kubernetes.session import new_session
from rollgraph.adapters.kubernetes.tokenreview import TOKEN_REVIEWS, reviewed
from rollgraph.core.actions.plan import Manifest, Patch, PatchType, Resource
from rollgraph.core.errors import (
    ConfigError,
    ForbiddenError,
    UnansweredError,
    UnauthenticatedError,
    UnreachableError,
    UnreadableError,
)
from rollgraph.core.identity import OURSELVES, Identity, Impersonated, PassedThrough
from rollgraph.core.objects import decode
from rollgraph.core.refs import ObjectKey
from rollgraph.ports import AccessQuestion, Reviewed
from rollgraph.ports.tracing import traceparent

# Who has last written which field of an object, as Kubernetes notes it.
FIELD_MANAGER = "rollgraph"
# Kubernetes takes the part after the last dash of a header's name for the key, in lower case.
REQUEST_ID = "rollgraph-request-id"

# Seconds. An API server answers in milliseconds, or after a slow admission webhook's 10.
_LIMITS = aiohttp.ClientTimeout(total=15, connect=5, sock_connect=5)
# To one API server: more people than this do not act on one cluster in the same 10 ms.
_CONNECTIONS = 16

_PATHS: dict[Resource, str] = {
    Resource.ROLLOUT: "apis/argoproj.io/v1alpha1",
    Resource.ANALYSIS_RUN: "apis/argoproj.io/v1alpha1",
    Resource.EXPERIMENT: "apis/argoproj.io/v1alpha1",
    Resource.DEPLOYMENT: "apis/apps/v1",
    Resource.REPLICA_SET: "apis/apps/v1",
    Resource.POD_TEMPLATE: "api/v1",
}
_REVIEWS = "apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
_VERSION_PATH = "/metadata/resourceVersion"

# What never went out, so that nothing can have come of it.
_NOT_SENT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, RuntimeError)

_encode = msgspec.json.Encoder().encode


class KubernetesPatcher:
    """A `ports.Patcher` on aiohttp.

    Args:
        server: The API server's address; a path in it is kept.
        credentials: Who we are.
        tls: What we trust and whose certificate we show; None for a server without TLS.
        anonymous_tls: Makes the same without a certificate. A caller's token is sent over nothing
            else: an API server goes by the certificate first, and would take the caller for us.
        server_name: The name to expect in its certificate, if not that of its address.
        proxy: An HTTP proxy in between.
    """

    def __init__(
        self,
        server: str,
        credentials: Credentials,
        *,
        tls: SSLContext | None = None,
        anonymous_tls: Callable[[], SSLContext | None] = lambda: None,
        server_name: str = "",
        proxy: str | None = None,
    ) -> None:
        self._server = server.rstrip("/")
        self._credentials = credentials
        self._anonymous_tls = anonymous_tls
        self._options: dict[str, Any] = {"allow_redirects": False, "proxy": proxy}
        if server_name:
            self._options["server_hostname"] = server_name
        self._session = new_session(tls, connections=_CONNECTIONS)
        self._anonymous: aiohttp.ClientSession | None = None

    async def get(
        self, resource: Resource, key: ObjectKey, *, as_: Identity = OURSELVES
    ) -> Manifest:
        """One object as it is now."""
        return _object(await self._send("GET", _path(resource, key), as_=as_))

    async def list(
        self,
        resource: Resource,
        namespace: str,
        *,
        selector: str = "",
        as_: Identity = OURSELVES,
    ) -> Sequence[Manifest]:
        """The objects of a namespace with these labels as they are now."""
        query = {"labelSelector": selector} if selector else {}
        path = _path(resource, ObjectKey(namespace, ""))
        found = decode.object_list(await self._send("GET", path, query, as_=as_))
        return [_object(bytes(item)) for item in found.items or ()]

    async def patch(
        self,
        patch: Patch,
        *,
        resource_version: str = "",
        dry_run: bool = False,
        as_: Identity = OURSELVES,
    ) -> Manifest:
        """Changes an object, if it is still of a version."""
        path = _path(patch.resource, patch.key)
        if patch.subresource:
            path = f"{path}/{quote(patch.subresource, safe='')}"
        query = {"fieldManager": FIELD_MANAGER} | ({"dryRun": "All"} if dry_run else {})
        body = _encode(_guarded(patch, resource_version))
        return _object(await self._send("PATCH", path, query, body, patch.type, as_=as_))

    async def create_event(self, event: Manifest, *, as_: Identity = OURSELVES) -> None:
        """Creates an Event."""
        namespace = quote(event["metadata"]["namespace"], safe="")
        query = {"fieldManager": FIELD_MANAGER}
        path = f"api/v1/namespaces/{namespace}/events"
        await self._send("POST", path, query, _encode(event), as_=as_)

    async def may(self, question: AccessQuestion, *, as_: Identity = OURSELVES) -> bool:
        """Whether the spoke allows something."""
        if question.verb == "impersonate" and await self._impersonates():
            return False
        attributes = {
            "group": question.group,
            "resource": question.resource,
            "subresource": question.subresource,
            "verb": question.verb,
            "namespace": question.namespace,
            "name": question.name,
        }
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": {k: v for k, v in attributes.items() if v}},
        }
        answer = _object(await self._send("POST", _REVIEWS, {}, _encode(review), as_=as_))
        status = answer.get("status")
        return isinstance(status, dict) and status.get("allowed") is True

    async def review(self, token: str, audiences: Sequence[str]) -> Reviewed | None:
        """Whose a token is."""
        asked = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenReview",
            "spec": {"token": token, "audiences": list(audiences)},
        }
        return reviewed(await self._send("POST", TOKEN_REVIEWS, {}, _encode(asked), as_=OURSELVES))

    async def close(self) -> None:
        """Closes every connection."""
        await self._session.close()
        if self._anonymous is not None:
            await self._anonymous.close()

    async def _impersonates(self) -> bool:
        """Whether we are already somebody else here, by the kubeconfig: it cannot be nested."""
        return any(name == "Impersonate-User" for name, _ in await self._credentials.headers())

    async def _send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: bytes | None = None,
        content_type: str = "application/json",
        *,
        as_: Identity,
    ) -> bytes:
        """The body of an answer that is a success."""
        headers = [*await self._headers(as_), ("Accept", "application/json")]
        if body is not None:
            headers.append(("Content-Type", content_type))
        if followed := traceparent.get():
            headers.append(("Traceparent", followed))
        url = URL(f"{self._server}/{path}", encoded=True)
        with translated() if method == "GET" else _answered():
            async with self._session_for(as_).request(
                method,
                url.with_query(query or {}),
                data=body,
                headers=headers,
                timeout=_LIMITS,
                **self._options,
            ) as response:
                if response.status not in (200, 201):
                    raise await refused(response)
                return await response.read()

    def _session_for(self, as_: Identity) -> aiohttp.ClientSession:
        if not isinstance(as_, PassedThrough):
            return self._session
        if self._anonymous is None:
            self._anonymous = new_session(self._anonymous_tls(), connections=_CONNECTIONS)
        return self._anonymous

    async def _headers(self, as_: Identity) -> Headers:
        if isinstance(as_, PassedThrough):
            try:
                return bearer(as_.token)
            except ConfigError as error:
                raise UnauthenticatedError(f"your token: {error}") from None
        own = await self._credentials.headers()
        if isinstance(as_, Impersonated):
            if await self._impersonates():
                raise ForbiddenError("the kubeconfig's user is impersonated already: not nested")
            return [*own, *_impersonation(as_)]
        return own


def _impersonation(as_: Impersonated) -> Headers:
    """A header for each group: what is joined by commas would be one group of that name."""
    headers = [("Impersonate-User", as_.user)]
    headers += [("Impersonate-Group", group) for group in as_.groups]
    if as_.request_id:
        headers.append((f"Impersonate-Extra-{REQUEST_ID}", as_.request_id))
    return headers


@contextmanager
def _answered() -> Iterator[None]:
    """As `translated`, and tells apart what was sent, so that something may have come of it."""
    try:
        with translated():
            yield
    except UnreachableError as error:
        if isinstance(error.__cause__, _NOT_SENT):
            raise
        raise UnansweredError(str(error)) from error


def _path(resource: Resource, key: ObjectKey) -> str:
    """Names are quoted, so that none leads anywhere else; yarl would resolve `..` otherwise."""
    plural = resource.partition(".")[0]
    namespace, name = (
        quote(part, safe="").replace(".", "%2E") for part in (key.namespace, key.name)
    )
    collection = f"{_PATHS[resource]}/namespaces/{namespace}/{plural}"
    return f"{collection}/{name}" if name else collection


def _guarded(patch: Patch, resource_version: str) -> Any:
    """The body with its precondition: a patch that sets an old version conflicts."""
    if not resource_version:
        return patch.body
    if patch.type is PatchType.JSON:
        version = {"op": "replace", "path": _VERSION_PATH, "value": resource_version}
        return [version, *patch.body]
    metadata = {**patch.body.get("metadata", {}), "resourceVersion": resource_version}
    return {**patch.body, "metadata": metadata}


def _object(body: bytes) -> Manifest:
    """A JSON object with metadata."""
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UnreadableError(f"not an object: {error}: {body[:80]!r}") from error
    if not isinstance(found, dict) or not isinstance(found.get("metadata"), dict):
        raise UnreadableError(f"not an object: {body[:80]!r}")
    return found
