"""Work is followed from a caller to the cluster, and from the cluster to who subscribes."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

import httpx2
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from demos import Demo, demo, wait

pytestmark = [pytest.mark.looptime(False), pytest.mark.timeout(180)]

CALLERS = "4bf92f3577b34da6a3ce929d0e0e4736"
CALLERS_SPAN = "00f067aa0ba902b7"
RESTART = "mutation M($in: RestartRolloutInput!) { restartRollout(input: $in) { applied } }"
SUBSCRIPTION = "subscription { rolloutEvents { ... on RolloutEvent { kind } } }"


class Span(NamedTuple):
    """A span as it was sent."""

    service: str
    name: str
    trace: str
    id: str
    parent: str


class Collector:
    """Takes spans by OTLP over HTTP."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                collector.take(ExportTraceServiceRequest.FromString(body))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def take(self, request: ExportTraceServiceRequest) -> None:
        for resource in request.resource_spans:
            said = {each.key: each.value.string_value for each in resource.resource.attributes}
            self.spans += [
                Span(
                    said["service.name"],
                    span.name,
                    span.trace_id.hex(),
                    span.span_id.hex(),
                    span.parent_span_id.hex(),
                )
                for scope in resource.scope_spans
                for span in scope.spans
            ]

    def chain(self, trace: str, *names: str) -> bool:
        """Whether a trace has spans of these names, each a part of the one before."""
        parent = None
        for name in names:
            fitting = [
                span
                for span in self.spans
                if (span.trace, span.name) == (trace, name) and parent in (None, span.parent)
            ]
            if not fitting:
                return False
            parent = fitting[0].id
        return True


@pytest.fixture
def collector() -> Iterator[Collector]:
    made = Collector()
    with made.server as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield made
        server.shutdown()
        thread.join()


@pytest.fixture
def running(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> Iterator[Demo]:
    """A demo in which nobody does anything, whose environment says where spans are to go."""
    port = collector.server.server_address[1]
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "200")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("ROLLGRAPH_STREAMS__HEARTBEAT", "1")
    monkeypatch.setenv("ROLLGRAPH_HTTP__JOIN_TRACES", "true")
    with demo("--rate", "0", "--spokes", "1") as made:
        made.serving()
        assert made.popen.stderr is not None
        reader = threading.Thread(target=made.popen.stderr.read)
        reader.start()
        yield made
        made.popen.kill()
        reader.join()


@contextmanager
def listening(url: str) -> Iterator[None]:
    """Somebody who has subscribed, and reads whatever comes."""
    subscribed, enough = threading.Event(), threading.Event()

    def read() -> None:
        headers = {"accept": "text/event-stream"}
        with (
            httpx2.Client(trust_env=False, timeout=60) as client,
            client.stream("POST", url, json={"query": SUBSCRIPTION}, headers=headers) as answer,
        ):
            for line in answer.iter_lines():
                if line.startswith("data:"):
                    subscribed.set()
                if enough.is_set():  # a heartbeat comes in any case
                    return

    thread = threading.Thread(target=read)
    thread.start()
    try:
        assert subscribed.wait(20)
        yield
    finally:
        enough.set()
        thread.join()


def test_one_trace_to_the_cluster_and_one_to_who_subscribes(
    running: Demo, collector: Collector
) -> None:
    query = '{ rollouts(filter: {name: {eq: "checkout"}}) { nodes { id phase } } }'
    wait(lambda: bool(running.ask(query)["rollouts"]["nodes"]), "checkout is known", 30)
    (rollout,) = running.ask(query)["rollouts"]["nodes"]
    with listening(running.url):
        answer = httpx2.post(
            running.url,
            json={"query": RESTART, "variables": {"in": {"rollout": {"id": rollout["id"]}}}},
            headers={"traceparent": f"00-{CALLERS}-{CALLERS_SPAN}-01"},
            trust_env=False,
            timeout=30,
        )
        assert json.loads(answer.content)["data"]["restartRollout"]["applied"]
        wait(
            lambda: collector.chain(CALLERS, "POST /graphql", "GraphQL mutation", "PATCH"),
            "what the caller asked is followed to the cluster",
            20,
        )
        wait(
            lambda: any(
                collector.chain(span.trace, "publish", "apply", "deliver")
                for span in collector.spans
                if span.name == "deliver"
            ),
            "what happened on the cluster is followed to who subscribes",
            20,
        )
    (first,) = [s for s in collector.spans if (s.trace, s.name) == (CALLERS, "POST /graphql")]
    assert first.parent == CALLERS_SPAN
    assert {span.service for span in collector.spans} == {"rollgraph-serve"}
