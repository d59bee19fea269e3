"""Spans as OpenTelemetry's SDK gets them."""

import re
from datetime import UTC, datetime
from random import Random

import anyio
import msgspec
import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, ParentBased, Sampler

from factories import NOON, rollout_view
from fakes.broker import FaultyBroker
from fakes.clock import LoopClock
from fakes.projection import until
from rollgraph.adapters.memory import MemoryMirror
from rollgraph.adapters.otel import OtelTracing
from rollgraph.adapters.redis import frames
from rollgraph.core.feed.entries import Fact
from rollgraph.core.feed.news import News
from rollgraph.feed.fanout import FanOut
from rollgraph.feed.follower import Follower
from rollgraph.feed.publisher import Publisher
from rollgraph.ports import Tracing
from rollgraph.ports.tracing import Part, traceparent

PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


class Traces:
    """What is followed, and what came of it."""

    def __init__(self, sampler: Sampler = ALWAYS_ON) -> None:
        self._exporter = InMemorySpanExporter()
        provider = TracerProvider(sampler=ParentBased(sampler), shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.tracing = OtelTracing(provider.get_tracer("test"))

    @property
    def spans(self) -> dict[str, ReadableSpan]:
        """The spans that have ended, by name."""
        return {span.name: span for span in self._exporter.get_finished_spans()}


def parent_of(span: ReadableSpan) -> str:
    assert span.context is not None
    parent = "" if span.parent is None else f"{span.parent.span_id:016x}"
    return f"{span.context.trace_id:032x} {parent}"


def sampled(header: str) -> bool:
    return bool(int(header.rpartition("-")[2], 16) & 1)


def test_a_span_is_part_of_what_goes_on_around_it_and_names_itself() -> None:
    traces = Traces()
    with traces.tracing.span("outer", Part.SERVER, parent=PARENT) as outer:
        assert traceparent.get() == outer
        assert re.fullmatch(r"00-4bf92f3577b34da6a3ce929d0e0e4736-[0-9a-f]{16}-01", outer)
        with traces.tracing.span("inner", Part.CLIENT) as inner:
            assert traceparent.get() == inner
        assert traceparent.get() == outer
    assert traceparent.get() == ""
    spans = traces.spans
    assert parent_of(spans["outer"]) == "4bf92f3577b34da6a3ce929d0e0e4736 00f067aa0ba902b7"
    assert parent_of(spans["inner"]) == f"4bf92f3577b34da6a3ce929d0e0e4736 {outer.split('-')[2]}"
    assert (spans["outer"].kind.name, spans["inner"].kind.name) == ("SERVER", "CLIENT")


@pytest.mark.parametrize("parent", ["", "nonsense", "00-0-0-01", f"{PARENT}-more-\n"])
def test_a_parent_that_makes_no_sense_is_none(parent: str) -> None:
    traces = Traces()
    with traces.tracing.span("alone", parent=parent):
        pass
    assert parent_of(traces.spans["alone"]).endswith(" ")


@pytest.mark.parametrize("flags", ["01", "00"])
def test_what_is_linked_is_another_trace_which_another_cannot_have_recorded(flags: str) -> None:
    callers = PARENT.removesuffix("01") + flags
    traces = Traces()
    with traces.tracing.span("around"), traces.tracing.span("own", link=callers) as own:
        assert sampled(own)
    (link,) = traces.spans["own"].links
    assert f"{link.context.trace_id:032x}-{link.context.span_id:016x}" in callers
    trace, _, parent = parent_of(traces.spans["own"]).partition(" ")
    assert (trace in callers, parent) == (False, "")
    with Traces(ALWAYS_OFF).tracing.span("own", link=callers) as other:
        assert not sampled(other)


@pytest.mark.parametrize("link", ["", "nonsense", "00-0-0-01"])
def test_a_link_that_makes_no_sense_is_none(link: str) -> None:
    traces = Traces()
    with traces.tracing.span("alone", link=link):
        pass
    assert not traces.spans["alone"].links
    assert parent_of(traces.spans["alone"]).endswith(" ")


def test_what_a_caller_does_not_follow_is_not_followed_here() -> None:
    traces = Traces()
    with traces.tracing.span("outer", parent=PARENT.removesuffix("01") + "00") as outer:
        assert not sampled(outer)
    with Traces(ALWAYS_OFF).tracing.span("outer") as other:
        assert not sampled(other)
    assert traces.spans == {}


def test_an_error_is_told_by_its_type_alone() -> None:
    traces = Traces()
    with pytest.raises(ValueError, match="a secret"), traces.tracing.span("fails"):
        raise ValueError("a secret")
    span = traces.spans["fails"]
    assert not span.status.is_ok
    assert span.status.description == "ValueError"
    assert "secret" not in span.to_json()


def test_what_began_before_is_as_long_as_it_is() -> None:
    traces = Traces()
    since = datetime(2026, 11, 24, 12, tzinfo=UTC)
    with traces.tracing.span("late", since=since, said={"facts": 2, "name": ""}):
        pass
    span = traces.spans["late"]
    assert span.start_time == int(since.timestamp()) * 10**9
    assert dict(span.attributes or {}) == {"facts": 2}


def test_without_it_nothing_is_followed() -> None:
    with Tracing().span("nothing", parent=PARENT) as span:
        assert (span, traceparent.get()) == ("", "")


async def test_a_fact_is_one_trace_from_the_worker_to_who_listens() -> None:
    worker, gateway = Traces(), Traces()
    broker, mirror = FaultyBroker(), MemoryMirror(LoopClock())
    fanout = FanOut(mirror, mirror)
    follower = Follower(broker, fanout, tracing=gateway.tracing)
    publisher = Publisher("east", broker, LoopClock(), Random(1), tracing=worker.tracing)
    heard: list[News] = []
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(follower.run)
        tasks.start_soon(publisher.run)
        publisher.put_rollout(rollout_view("east/shop/checkout"))
        await until(lambda: mirror.version == 1)
        assert gateway.spans == {}  # what a snapshot tells is nobody's doing of now
        with fanout.subscribe(lambda _: True) as listening:
            publisher.put_rollout(rollout_view("east/shop/checkout", percent=1))
            await listening.wait()
            heard += [news for news in listening.drain() if news is not None]
        tasks.cancel_scope.cancel()
    (news,), publish, apply = heard, worker.spans["publish"], gateway.spans["apply"]
    assert publish.context is not None
    assert apply.context is not None
    assert parent_of(apply) == f"{publish.context.trace_id:032x} {publish.context.span_id:016x}"
    trace = f"00-{publish.context.trace_id:032x}-{apply.context.span_id:016x}"
    assert news.trace.startswith(trace)


def test_a_reader_that_knows_nothing_of_traces_reads_the_rest() -> None:
    class Before(msgspec.Struct, frozen=True, array_like=True):
        at: datetime
        value: object

    view = rollout_view("east/shop/checkout")
    with_trace = frames.frame(Fact(view.ref.key, view, NOON, PARENT))
    without = frames.frame(Fact(view.ref.key, view, NOON))
    assert frames.entry(7, "shop/checkout", with_trace).trace == PARENT
    assert frames.entry(7, "shop/checkout", without).trace == ""
    assert frames.entry(7, "shop/checkout", with_trace).value == view
    old = msgspec.msgpack.decode(frames._unpacked(with_trace), type=Before)
    assert old.at == NOON
