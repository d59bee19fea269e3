"""Each operation is counted, by what came of it."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, aclosing, contextmanager
from datetime import datetime, timedelta

import pytest

from fakes.clock import LoopClock
from rollgraph.adapters.memory import MemoryMirror
from rollgraph.ports import OperationObserver, Tracing
from rollgraph.ports.tracing import Part
from rollgraph.schema.context import Context
from rollgraph.schema.schema import Schema, build_schema


class Heard(OperationObserver):
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.story: list[tuple[str, str]] = []

    def answered(self, type: str, result: str, seconds: float | None) -> None:
        assert seconds is not None
        assert 0 < seconds < 60
        self.story.append((type, result))


class Followed(Tracing):
    """Remembers what was begun, and what ended."""

    follows = True

    def __init__(self) -> None:
        self.story: list[str] = []

    def span(
        self,
        name: str,
        part: Part = Part.INTERNAL,
        *,
        parent: str = "",
        link: str = "",
        since: datetime | None = None,
        said: Mapping[str, str | int] | None = None,
    ) -> AbstractContextManager[str]:
        return self._noted(f"{name} {said}")

    @contextmanager
    def _noted(self, text: str) -> Iterator[str]:
        self.story.append(text)
        yield ""
        self.story.append("end")


def context() -> Context:
    clock = LoopClock()
    return Context(MemoryMirror(clock), clock.now(), timedelta(seconds=10), clock=clock)


@pytest.mark.parametrize(
    ("query", "type_", "result"),
    [
        ("{ clusters { nodes { name } } }", "query", "ok"),
        ("query Named { __typename }", "query", "ok"),
        ('{ node(id: "none") { id } }', "query", "errors"),
        ("{ nothing }", "query", "refused"),
        ("{", "unknown", "refused"),
        ("query A { __typename } query B { __typename }", "unknown", "refused"),
        (
            'mutation { promoteRollout(input: {rollout: {id: "none"}}) { __typename } }',
            "mutation",
            "ok",
        ),
    ],
)
async def test_what_becomes_of_an_operation(query: str, type_: str, result: str) -> None:
    heard = Heard()
    answer = await build_schema(observer=heard).execute(query, context_value=context())
    assert heard.story == [(type_, result)], answer.errors


async def test_what_is_asked_is_followed_by_type_and_name() -> None:
    followed = Followed()
    schema: Schema = build_schema(tracing=followed)
    await schema.execute("query Board { __typename }", context_value=context())
    said = {"graphql.operation.type": "query", "graphql.operation.name": "Board"}
    assert followed.story == [f"GraphQL query {said}", "end"]


async def test_no_more_of_a_name_is_kept_than_a_person_reads() -> None:
    followed = Followed()
    query = f"query {'Board' * 10_000} {{ __typename }}"
    await build_schema(tracing=followed).execute(query, context_value=context())
    assert len(followed.story[0]) < 200


async def test_it_is_observed_over_a_stream_too() -> None:
    heard = Heard()
    schema = build_schema(observer=heard)
    for query in ("{ __typename }", "{ nothing }"):
        results = await schema.stream(query, context_value=context())
        async with aclosing(results):
            await anext(results)
    assert heard.story == [("query", "ok"), ("query", "refused")]
