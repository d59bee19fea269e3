"""The ASGI application of one simulated API server."""

from collections.abc import Callable
from datetime import datetime

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from rollgraph.simulation import problems
from rollgraph.simulation.apiserver import discovery, requests, reviews
from rollgraph.simulation.apiserver.listing import Lists
from rollgraph.simulation.apiserver.requests import Target
from rollgraph.simulation.apiserver.watching import Watches
from rollgraph.simulation.apiserver.writing import Writes
from rollgraph.simulation.cluster import Cluster
from rollgraph.simulation.manifests import Manifest
from rollgraph.simulation.problems import ApiError

_HEALTH = ("/readyz", "/livez", "/healthz")
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
# As kube-apiserver limits a request's body.
LARGEST_BODY = 3 * 1024 * 1024

_encode = msgspec.json.Encoder().encode


class ApiServer:
    """Answers the Kubernetes API for one cluster.

    Args:
        cluster: The cluster.
        now: The time.
        token: Whoever has it may do everything; so may who sends none at all.
        viewer: Whoever has it may read everything, and write nothing.

    Attributes:
        overloaded: While true every request but those for health is answered with 429.
    """

    def __init__(
        self, cluster: Cluster, now: Callable[[], datetime], *, token: str, viewer: str = ""
    ) -> None:
        self.overloaded = False
        self._users = {token: "admin"} | ({viewer: "viewer"} if viewer else {})
        self._cluster = cluster
        self._lists = Lists(cluster.store)
        self._watches = Watches(cluster.store, self._lists)
        self._writes = Writes(cluster, now)
        self.app = Starlette(routes=[Route("/{path:path}", self._handle, methods=list(_METHODS))])

    def close(self) -> None:
        """Ends every watch."""
        self._watches.close()

    async def _handle(self, request: Request) -> Response:
        try:
            if request.url.path in _HEALTH:
                return PlainTextResponse("ok")
            user = self._user(request)
            if (found := discovery.answer(request.url.path)) is not None:
                return _json(found)
            if request.method == "POST" and request.url.path == reviews.PATH:
                return _json(reviews.answer(await _body(request), writer=user == "admin"), 201)
            target = requests.target(request.url.path)
            if request.method == "GET":
                return self._read(target, request)
            if user != "admin":
                raise _forbidden(user, request.method, target)
            return _json(*await self._write(target, request))
        except ApiError as error:
            headers = {} if error.retry_after is None else {"Retry-After": str(error.retry_after)}
            return _json(error.status(), error.code, headers)

    def _user(self, request: Request) -> str:
        given = request.headers.get("authorization")
        scheme, _, token = (given or "").partition(" ")
        user = self._users.get(token) if scheme.lower() == "bearer" else None
        if given is None:
            # client-go sends no token without TLS. There is nothing here that could be stolen.
            user = "admin"
        if user is None:
            raise ApiError(401, "Unauthorized", "Unauthorized")
        if self.overloaded:
            raise ApiError(
                429,
                "TooManyRequests",
                "the server has received too many requests and has asked us to try again later",
                retry_after=1,
            )
        return user

    def _read(self, target: Target, request: Request) -> Response:
        query = request.query_params
        if target.name and target.part in ("", "status"):
            held = self._cluster.store.get(target.resource.kind, target.namespace, target.name)
            return _json(held)
        if target.part:
            raise problems.not_found(target.resource, target.part)
        if requests.truth(query, "watch"):
            stream = self._watches.open(target, query)
            return StreamingResponse(stream, media_type="application/json")
        return _json(self._lists.answer(target, query))

    async def _write(self, target: Target, request: Request) -> tuple[Manifest, int]:
        body = await _body(request)
        agent = request.headers.get("user-agent", "").partition("/")[0]
        manager = request.query_params.get("fieldManager") or agent or "unknown"
        match request.method, bool(target.name), target.part:
            case "POST", False, "":
                return self._writes.create(target, body, manager), 201
            case "PUT", True, "" | "status":
                return self._writes.replace(target, body, manager), 200
            case "PATCH", True, "" | "status":
                type_ = requests.content_type(request)
                dry_run = request.query_params.get("dryRun") == "All"
                return self._writes.patch(target, body, type_, manager, dry_run=dry_run), 200
            case "DELETE", True, "":
                return self._writes.delete(target), 200
            case "POST", True, "eviction":
                self._writes.delete(target)
                return {"kind": "Status", "apiVersion": "v1", "status": "Success"}, 201
            case _:
                raise ApiError(
                    405,
                    "MethodNotAllowed",
                    "the server does not allow this method on the requested resource",
                )


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_BODY:
            message = f"Request entity too large: limit is {LARGEST_BODY}"
            raise ApiError(413, "RequestEntityTooLarge", message)
    return bytes(body)


def _forbidden(user: str, method: str, target: Target) -> ApiError:
    verb = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}[method]
    resource = target.resource
    plural = f"{resource.plural}/{target.part}" if target.part else resource.plural
    where = f' in the namespace "{target.namespace}"' if target.namespace else ""
    return ApiError(
        403,
        "Forbidden",
        f'{resource.qualified} "{target.name}" is forbidden: User "{user}" cannot {verb} resource'
        f' "{plural}" in API group "{resource.group}"{where}',
        {"name": target.name, "group": resource.group, "kind": resource.plural},
    )


def _json(content: Manifest, code: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(
        _encode(content), status_code=code, headers=headers, media_type="application/json"
    )
