"""The adapter against every way in which a server or a load balancer was seen to misbehave."""

import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

import anyio
import pytest

from fakes.apiserver import (
    Answer,
    FakeApiServer,
    body,
    cut,
    html,
    mute,
    refusal,
    serving,
    silent,
    stream,
)
from fakes.cluster import FakeCluster, bookmark, line, status
from fakes.manifests import thing
from rollgraph.adapters.kubernetes.credentials import FixedCredentials, bearer
from rollgraph.adapters.kubernetes.listwatch import KubernetesListWatch
from rollgraph.core.errors import (
    ExpiredError,
    ForbiddenError,
    InvalidRequestError,
    NotInstalledError,
    RollgraphError,
    ServerError,
    TooLargeVersionError,
    TooManyRequestsError,
    UnauthenticatedError,
    UnreachableError,
    UnreadableError,
)
from rollgraph.core.objects.decode import WatchEvent
from rollgraph.core.refs import Kind
from rollgraph.ports import ListWatch, ServerVersions

pytestmark = pytest.mark.looptime(False)  # real sockets


@asynccontextmanager
async def connected(
    cluster: FakeCluster | None = None, *, patience: float = 150
) -> AsyncIterator[tuple[FakeApiServer, KubernetesListWatch]]:
    async with serving(cluster) as server:
        listwatch = KubernetesListWatch(
            server.url, FixedCredentials(bearer("s3cret")), patience=patience
        )
        try:
            yield server, listwatch
        finally:
            await listwatch.close()


async def events_of(listwatch: ListWatch, kind: Kind = Kind.POD) -> list[WatchEvent]:
    """All events of one watch."""
    async with listwatch.watch(kind, resource_version="5", timeout=300) as events:
        return [event async for event in events]


async def test_a_list_asks_for_what_it_was_told_to() -> None:
    async with connected() as (server, listwatch):
        await listwatch.list(Kind.POD, namespace="shop", resource_version="7", limit=500)
        await listwatch.list(Kind.ROLLOUT, continue_="token", limit=500)
        pods, rollouts = server.requests
        assert pods.path == "/api/v1/namespaces/shop/pods"
        assert pods.query == {
            "resourceVersion": "7",
            "limit": "500",
            "labelSelector": "rollouts-pod-template-hash",
        }
        assert rollouts.path == "/apis/argoproj.io/v1alpha1/rollouts"
        assert rollouts.query == {"continue": "token", "limit": "500"}
        assert rollouts.headers["user-agent"] == f"rollgraph/{version('rollgraph')}"
        assert rollouts.headers["authorization"] == "Bearer s3cret"
        assert rollouts.headers["accept-encoding"] == "gzip"


async def test_a_compressed_list_is_read() -> None:
    cluster = FakeCluster()
    for number in range(300):
        cluster.put(Kind.POD, thing(f"p{number}"))
    async with connected(cluster) as (_, listwatch):
        page = await listwatch.list(Kind.POD)
        assert len(page.items or ()) == 300
        assert page.metadata.resource_version == str(cluster.version)


async def test_a_watch_asks_for_bookmarks_and_an_end() -> None:
    async with connected() as (server, listwatch):
        server.next("pods", stream(), stream())
        await events_of(listwatch)
        async with listwatch.watch(
            Kind.POD, resource_version="", timeout=412.5, initial_events=True
        ) as events:
            assert [event async for event in events] == []
        plain, initial = server.asked("pods")
        assert plain == {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": "5",
            "timeoutSeconds": "300",
            "labelSelector": "rollouts-pod-template-hash",
        }
        assert initial["sendInitialEvents"] == "true"
        assert initial["resourceVersionMatch"] == "NotOlderThan"
        assert "resourceVersion" not in initial
        assert initial["timeoutSeconds"] == "412"
        assert server.requests[0].headers["accept-encoding"] == "identity"


async def test_events_are_read_across_chunks() -> None:
    text = line("ADDED", thing("p1", 6)) + line("MODIFIED", thing("p1", 7)) + bookmark(8)
    async with connected() as (server, listwatch):
        server.next("pods", stream(text[:20], text[20:90], text[90:]))
        types = [event.type for event in await events_of(listwatch)]
        assert types == ["ADDED", "MODIFIED", "BOOKMARK"]


async def test_a_line_of_more_than_4_mib_is_an_event() -> None:
    big = thing("p1", 6, annotations={"note": "x" * (5 * 1024 * 1024)})
    async with connected() as (server, listwatch):
        server.next("pods", stream(line("ADDED", big)))
        [event] = await events_of(listwatch)
        assert len(bytes(event.object)) > 5 * 1024 * 1024


async def test_a_bad_gateways_page_is_an_error() -> None:
    async with connected() as (server, listwatch):
        server.next("pods", html(502))
        with pytest.raises(ServerError, match="HTTP 502 Bad Gateway"):
            await events_of(listwatch)


async def test_a_page_that_pretends_to_be_a_success_is_an_error() -> None:
    async with connected() as (server, listwatch):
        server.next("pods", html(200), html(200))
        server.next("version", html(200))
        with pytest.raises(UnreadableError):
            await events_of(listwatch)
        with pytest.raises(UnreadableError):
            await listwatch.list(Kind.POD)
        with pytest.raises(UnreadableError):
            await listwatch.versions()


@pytest.mark.parametrize(
    ("code", "reason", "error"),
    [
        (400, "BadRequest", InvalidRequestError),
        (401, "Unauthorized", UnauthenticatedError),
        (403, "Forbidden", ForbiddenError),
        (404, "NotFound", NotInstalledError),
        (410, "Expired", ExpiredError),
        (422, "Invalid", InvalidRequestError),
        (429, "TooManyRequests", TooManyRequestsError),
        (500, "InternalError", ServerError),
        (503, "ServiceUnavailable", ServerError),
        (599, "", ServerError),
    ],
)
async def test_a_refusal_becomes_our_error_with_the_servers_words(
    code: int, reason: str, error: type[RollgraphError]
) -> None:
    async with connected() as (server, listwatch):
        server.next("pods", refusal(code, reason, "pods is not for you"))
        with pytest.raises(error, match="pods is not for you") as caught:
            await events_of(listwatch)
        assert type(caught.value) is error


async def test_the_too_large_version_is_told_from_other_timeouts() -> None:
    details = {"causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large"}]}
    async with connected() as (server, listwatch):
        server.next("pods", body(status(504, "Timeout", "Too large", **details), 504))
        server.next("pods", refusal(504, "Timeout", "the server timed out"))
        with pytest.raises(TooLargeVersionError):
            await listwatch.list(Kind.POD, resource_version="99")
        with pytest.raises(ServerError):
            await listwatch.list(Kind.POD, resource_version="99")


async def test_the_wait_that_a_server_asks_for_is_passed_on() -> None:
    async with connected() as (server, listwatch):
        server.next("pods", refusal(429, **{"Retry-After": "7"}))
        server.next("pods", body(status(429, retryAfterSeconds=3), 429))
        for seconds in (7.0, 3.0):
            with pytest.raises(TooManyRequestsError) as caught:
                await events_of(listwatch)
            assert caught.value.retry_after == seconds


async def test_an_expired_version_comes_as_an_event() -> None:
    async with connected() as (server, listwatch):
        server.next("pods", stream(line("ERROR", status(410, "Expired", "too old"))))
        [event] = await events_of(listwatch)
        assert event.type == "ERROR"


async def test_a_redirect_is_not_followed() -> None:
    async with connected() as (server, listwatch):
        server.next("pods", refusal(302, Location="/login"))
        with pytest.raises(ServerError, match="no API server"):
            await listwatch.list(Kind.POD)
        assert len(server.requests) == 1


async def test_a_watch_that_is_closed_at_once_ends_in_good_order() -> None:
    async with connected() as (server, listwatch):
        server.next("pods", stream())
        assert await events_of(listwatch) == []


async def test_a_half_open_watch_ends() -> None:
    async with connected(patience=0.2) as (server, listwatch):
        server.next("pods", silent(line("ADDED", thing("p1", 6))))
        got: list[str] = []
        with pytest.raises(UnreachableError):
            await _follow(listwatch, got)
        assert got == ["ADDED"]


async def _follow(listwatch: ListWatch, got: list[str]) -> None:
    async with listwatch.watch(Kind.POD, resource_version="5", timeout=300) as events:
        async for event in events:
            got.append(event.type)  # noqa: PERF401 - it does not end well


async def test_a_watch_that_breaks_in_the_middle_of_a_chunk_is_an_error() -> None:
    async with connected() as (server, listwatch):
        server.next("pods", cut(line("ADDED", thing("p1", 6))))
        with pytest.raises(UnreachableError, match="middle of an answer"):
            await events_of(listwatch)


async def test_half_a_last_line_is_an_error_and_no_event() -> None:
    whole = line("ADDED", thing("p1", 6))
    async with connected() as (server, listwatch):
        server.next("pods", stream(whole, whole[:30]))
        with pytest.raises(UnreadableError):
            await events_of(listwatch)


async def test_a_last_line_without_its_end_is_an_event() -> None:
    async with connected() as (server, listwatch):
        server.next("pods", stream(line("ADDED", thing("p1", 6)).rstrip()))
        assert len(await events_of(listwatch)) == 1


async def test_nobody_listens() -> None:
    async with connected() as (server, listwatch):
        address = server.url
        del server
    dead = KubernetesListWatch(address, FixedCredentials())
    with pytest.raises(UnreachableError, match=r"no connection to 127\.0\.0\.1:\d+: .*refused"):
        await dead.versions()
    await dead.close()
    with pytest.raises(UnreachableError, match="closed on our side"):
        await listwatch.versions()


async def test_leaving_a_watch_closes_its_connection() -> None:
    async with connected() as (server, listwatch):
        async with listwatch.watch(Kind.POD, resource_version="10", timeout=300):
            assert server.streams == 1
        with anyio.fail_after(5):
            while server.streams:  # noqa: ASYNC110 - another program's doing
                await anyio.sleep(0.01)


async def test_a_server_that_does_not_answer_is_given_up_by_whoever_asks() -> None:
    async with connected() as (server, listwatch):
        server.next("version", mute)
        with pytest.raises(TimeoutError), anyio.fail_after(0.1):
            await listwatch.versions()
        assert (await listwatch.versions()).kubernetes == "v1.34.4"


async def test_versions_look_for_argo_rollouts_once() -> None:
    cluster = FakeCluster()
    images = [
        "quay.io/argoproj/kubectl-argo-rollouts:v1.9.0",
        "r:5000/a/argo-rollouts:v1.8.3@sha256:0",
    ]
    for name, image in zip(("dashboard", "argo-rollouts"), images, strict=True):
        spec = {"template": {"spec": {"containers": [{"name": "c", "image": image}]}}}
        cluster.put(Kind.DEPLOYMENT, thing(name) | {"spec": spec})
    async with connected(cluster) as (server, listwatch):
        for _ in range(3):
            assert await listwatch.versions() == ServerVersions("v1.34.4", "v1.8.3")
        assert len(server.asked("deployments")) == 1


@pytest.mark.parametrize(
    "answer",
    [refusal(403, "Forbidden"), body({"items": []}), html(200)],
    ids=["forbidden", "absent", "nonsense"],
)
async def test_argo_rollouts_may_be_unknown(answer: Answer) -> None:
    async with connected() as (server, listwatch):
        server.next("deployments", answer)
        assert await listwatch.versions() == ServerVersions("v1.34.4", "")


async def test_a_list_that_is_cut_short_is_an_error() -> None:
    async with connected() as (server, listwatch):
        server.next("pods", cut(gzip.compress(b"{}")))
        with pytest.raises(UnreachableError):
            await listwatch.list(Kind.POD)


def named(uid: str) -> Answer:
    return body({"metadata": {"name": "kube-system", "uid": uid}})


async def test_a_cluster_is_told_by_its_oldest_namespace_wherever_it_is_reached() -> None:
    async with connected() as (one, here), connected() as (another, there):
        one.next("kube-system", named("1"), named("1"))
        another.next("kube-system", named("1"), named("2"))
        first = await here.identity()
        assert await here.identity() == first
        assert await there.identity() == first
        assert await there.identity() != first


async def test_a_cluster_that_does_not_tell_that_is_told_by_where_it_is() -> None:
    async with connected() as (one, here), connected() as (_, there):
        one.next("kube-system", refusal(403, "Forbidden"), refusal(404, "NotFound"), named("1"))
        first = await here.identity()
        assert await here.identity() == first
        assert await here.identity() != first
        assert await there.identity() != first


async def test_nonsense_is_not_taken_for_an_identity() -> None:
    async with connected() as (server, listwatch):
        server.next("kube-system", html(200), html(502))
        for _ in range(2):
            with pytest.raises((UnreadableError, ServerError)):
                await listwatch.identity()
