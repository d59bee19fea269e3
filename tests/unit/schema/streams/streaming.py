"""A fleet whose changes are told, and readers of its streams."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Hashable, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import anyio
import orjson

from fakes.clock import LoopClock
from rollgraph.access.caller import Caller
from rollgraph.access.everything import Everything
from rollgraph.adapters.memory import MemoryMirror
from rollgraph.core.connection import ClusterView
from rollgraph.core.feed.entries import Entry, Position, Value
from rollgraph.core.feed.replica import Step
from rollgraph.core.refs import ObjectKey, RolloutRef
from rollgraph.core.view import RolloutView
from rollgraph.core.viewer import Viewer
from rollgraph.feed.fanout import FanOut
from rollgraph.ports import Rights
from rollgraph.schema.context import Context
from rollgraph.schema.fragments import FragmentCache
from rollgraph.schema.schema import Schema
from rollgraph.schema.streams.answer import Answer
from unit.schema.asking import SCHEMA


class Rule:
    """An authority that says the same of everybody, until it is told to say something else."""

    def __init__(self) -> None:
        self._rights: Rights = Everything()
        self.stamp: Hashable = 0

    def rights(self, viewer: Viewer) -> Rights:
        """What everybody may do."""
        return self._rights

    def say(self, rights: Rights) -> None:
        """Something else, from now on."""
        self._rights = rights
        self.stamp = object()


@dataclass
class Live:
    """A gateway's model with its feeds, as a follower writes it."""

    history: int = 1000
    schema: Schema = SCHEMA
    rule: Rule = field(default_factory=Rule)

    def __post_init__(self) -> None:
        self.clock = LoopClock()
        self.mirror = MemoryMirror(self.clock)
        self.fanout = FanOut(self.mirror, self.mirror, self.history)
        self.fragments = FragmentCache()
        self.contexts: list[Context] = []
        self.positions: dict[str, Position] = {}

    def take(
        self, cluster: str, subject: ObjectKey | None, value: Value, *, whole: bool = True
    ) -> None:
        """A fact arrives."""
        last = self.positions.get(cluster, Position(f"epoch-of-{cluster}", 0))
        here = self.positions[cluster] = Position(last.epoch, last.seq + 1)
        entry = Entry(here.seq, subject, value, self.clock.now())
        self.fanout.take(cluster, Step(entry, here, whole))

    def put(self, *views: RolloutView) -> None:
        """Rollouts are as given."""
        for view in views:
            self.take(view.ref.cluster, view.ref.key, view)

    def drop(self, ref: RolloutRef) -> None:
        """A rollout is gone."""
        self.take(ref.cluster, ref.key, None)

    def put_cluster(self, view: ClusterView) -> None:
        """A cluster is as given."""
        self.take(view.name, None, view)

    def context(self, rights: Rights | None = None, **changes: Any) -> Context:
        """The surroundings of a subscription."""
        if rights is not None:
            self.rule.say(rights)
        known = self.rule.rights(Viewer("ann@example.com"))
        made = Context(
            self.mirror,
            self.clock.now(),
            timedelta(seconds=10),
            "req-1",
            fragments=self.fragments,
            caller=Caller(known),
            news=self.fanout,
            authority=self.rule,
            clock=self.clock,
        )
        for name, value in changes.items():
            setattr(made, name, value)
        return made

    @asynccontextmanager
    async def reader(
        self, document: str, rights: Rights | None = None, **variables: object
    ) -> AsyncIterator["Reader"]:
        """A reader who has subscribed; what is not valid is told by the first answer."""
        async with aclosing(await self._stream(document, rights, variables)) as answers:
            yield Reader(answers)

    async def _stream(
        self, document: str, rights: Rights | None, variables: Mapping[str, object]
    ) -> AsyncGenerator[Any, None]:
        return await self.schema.stream(
            document, variable_values=dict(variables), context_value=self.context(rights)
        )


@dataclass
class Reader:
    """One reader of a stream."""

    answers: AsyncGenerator[Any, None]
    cursor: str = ""

    async def answer(self, within: float = 5) -> Answer:
        """The next answer."""
        found: Answer | None = None
        with anyio.fail_after(within):
            found = await anext(self.answers)
        assert found is not None
        self.cursor = getattr(found, "cursor", "") or self.cursor
        return found

    async def event(self, within: float = 5) -> dict[str, Any]:
        """The next event; there must be no error."""
        found = await self.answer(within)
        assert not found.errors, found.errors
        (event,) = orjson.loads(orjson.dumps(found.data)).values()
        assert isinstance(event, dict)
        return event

    async def event_after(self, act: Callable[[], object]) -> dict[str, Any]:
        """The next event, if something happens while it is waited for."""
        found: list[dict[str, Any]] = []
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_in_a_moment, act)
            found.append(await self.event())
        return found[0]

    async def events(self, count: int) -> list[dict[str, Any]]:
        """The next events."""
        return [await self.event() for _ in range(count)]

    async def error(self, within: float = 5) -> tuple[str, str]:
        """The code and the message of the next answer's only error."""
        found = await self.answer(within)
        assert found.errors
        (error,) = found.errors
        return (error.extensions or {})["code"], error.message

    async def ended(self) -> bool:
        """Whether nothing comes any more."""
        return await anext(self.answers, None) is None

    async def silent(self, seconds: float = 3) -> bool:
        """Whether nothing comes for a while. Whoever asks does not read on: it ends the stream."""
        with anyio.move_on_after(seconds) as scope:
            await anext(self.answers)
        return scope.cancelled_caught


async def _in_a_moment(act: Callable[[], object]) -> None:
    await anyio.sleep(0.1)
    act()


def at(events: list[dict[str, Any]], *names: str) -> list[Any]:
    """A field of each event, or several as tuples."""
    if len(names) == 1:
        return [event.get(names[0]) for event in events]
    return [tuple(event.get(name) for name in names) for event in events]


def moment(text: str) -> datetime:
    """A time of an answer."""
    return datetime.fromisoformat(text)
