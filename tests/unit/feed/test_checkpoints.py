"""A checkpoint is written with what it is the state of, or not at all."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from random import Random

import anyio

from factories import NOON, rollout_view
from fakes.broker import FaultyBroker
from fakes.clock import LoopClock
from fakes.projection import until
from rollgraph.core.connection import ClusterView, ConnectionStatus, WatchView
from rollgraph.core.feed.checkpoints import Checkpoint, Reached, shape, why_not
from rollgraph.core.feed.entries import Fact, Position, Snapshot
from rollgraph.core.refs import Kind, RolloutRef
from rollgraph.feed.publisher import PART, Publisher
from rollgraph.ports import Feed

CHECKOUT = RolloutRef("east", "shop", "checkout")
CART = RolloutRef("east", "shop", "cart")


class Book(FaultyBroker):
    """A broker that remembers what was written at once, and with which checkpoint.

    Attributes:
        written: The rollouts' names, "" for the spoke itself, and the version of the checkpoint.
    """

    def __init__(self) -> None:
        super().__init__()
        self.written: list[tuple[list[str], str]] = []

    async def claim(self, cluster: str, holder: str = "") -> tuple[Feed, Snapshot]:
        """Of the port."""
        feed, snapshot = await super().claim(cluster, holder)
        return _Noted(self, feed), snapshot


class _Noted:
    """A `ports.Feed`."""

    def __init__(self, book: Book, feed: Feed) -> None:
        self._book = book
        self._feed = feed

    @property
    def position(self) -> Position:
        """Of the port."""
        return self._feed.position

    async def append(self, facts: Sequence[Fact], checkpoint: Checkpoint | None = None) -> Position:
        """Of the port."""
        position = await self._feed.append(facts, checkpoint)
        names = [fact.subject.name if fact.subject else "" for fact in facts]
        version = checkpoint.reached[0].resource_version if checkpoint else ""
        self._book.written.append((names, version))
        return position


def east(minute: int = 0) -> ClusterView:
    watch = WatchView(Kind.ROLLOUT, "", ConnectionStatus.CONNECTED, NOON, synced=True)
    return ClusterView(
        "east", ConnectionStatus.CONNECTED, NOON, watches=(watch,), reconnects=minute
    )


def at(version: int) -> Checkpoint:
    return Checkpoint("1", "east", (), (Reached(Kind.ROLLOUT, "", str(version)),))


@asynccontextmanager
async def publishing(book: Book) -> AsyncIterator[Publisher]:
    publisher = Publisher("east", book, LoopClock(), Random(1))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(publisher.run)
        await until(lambda: book.claims > 0)
        await anyio.sleep(0.1)
        yield publisher
        await publisher.written()
        tasks.cancel_scope.cancel()


async def test_it_is_written_with_the_last_of_its_facts_and_what_follows_by_itself() -> None:
    book = Book()
    async with publishing(book) as publisher:
        publisher.put_rollout(rollout_view(str(CHECKOUT)))
        publisher.reach(at(1))
        publisher.put_rollout(rollout_view(str(CART)))
        publisher.reach(at(2))
        publisher.put_rollout(rollout_view(str(CHECKOUT), percent=20))
    assert book.written == [(["checkout", "cart"], "2"), (["checkout"], "")]


async def test_it_is_written_again_with_what_is_said_of_the_spoke_if_nothing_else_was() -> None:
    book = Book()
    async with publishing(book) as publisher:
        publisher.put_rollout(rollout_view(str(CHECKOUT)))
        publisher.reach(at(1))
        await publisher.written()
        publisher.reach(at(2))
        publisher.put_cluster(east())
        await publisher.written()
        publisher.put_rollout(rollout_view(str(CART)))
        publisher.put_cluster(east(1))
    assert book.written == [(["checkout"], "1"), ([""], "2"), (["cart", ""], "")]


async def test_of_more_than_is_written_at_once_it_goes_with_the_last_part() -> None:
    book = Book()
    async with publishing(book) as publisher:
        for number in range(PART + 1):
            publisher.put_rollout(rollout_view(f"east/shop/shop-{number}"))
        publisher.reach(at(1))
    assert [(len(names), version) for names, version in book.written] == [(PART, ""), (1, "1")]


async def test_a_store_that_was_away_gets_it_with_what_differs() -> None:
    book = Book()
    async with publishing(book) as publisher:
        publisher.put_rollout(rollout_view(str(CHECKOUT)))
        publisher.reach(at(1))
        await publisher.written()
        book.away = True
        publisher.put_rollout(rollout_view(str(CART)))
        publisher.reach(at(2))
        await anyio.sleep(20)
        book.come_back()
        await anyio.sleep(20)
    _, snapshot = await book.claim("east")
    assert snapshot.checkpoint == at(2)
    assert len(snapshot.entries) == 2


async def test_what_was_told_of_a_rollout_while_it_was_away_takes_it_away() -> None:
    book = Book()
    async with publishing(book) as publisher:
        publisher.reach(at(1))
        book.away = True
        publisher.put_rollout(rollout_view(str(CART)))
        await anyio.sleep(20)
        book.come_back()
        await anyio.sleep(20)
    assert (await book.claim("east"))[1].checkpoint is None


async def test_there_is_none_while_the_feed_has_rollouts_that_were_not_told_of() -> None:
    book = Book()
    async with publishing(book) as publisher:
        publisher.put_rollout(rollout_view(str(CHECKOUT)))
        publisher.put_rollout(rollout_view(str(CART)))
        publisher.put_cluster(east())
    book.written.clear()
    async with publishing(book) as successor:
        successor.put_rollout(rollout_view(str(CHECKOUT)))
        successor.reach(at(1))
        successor.put_cluster(east(1))  # read: what was not found is gone
        successor.put_cluster(east(2))
        await successor.written()
        successor.reach(at(2))
        successor.put_cluster(east(3))
    assert book.written == [(["", "cart", ""], ""), ([""], "2")]


async def test_who_takes_over_keeps_what_was_left_until_something_else_is_true() -> None:
    book = Book()
    async with publishing(book) as publisher:
        publisher.put_rollout(rollout_view(str(CHECKOUT)))
        publisher.reach(at(1))
    async with publishing(book) as successor:
        left = await successor.inherited()
        assert left is not None
        assert (left.checkpoint, [view.ref for view in left.views]) == (at(1), [CHECKOUT])
        successor.take_over()
        successor.put_cluster(east())
        await successor.written()
        _, snapshot = await book.claim("east")
        assert snapshot.checkpoint == at(1)
        assert len(snapshot.entries) == 2, "what was taken over is not buried"


async def test_there_is_nothing_to_inherit_where_nothing_was_or_the_store_is_away() -> None:
    book = Book()
    async with publishing(book) as publisher:
        assert await publisher.inherited() is None
    book.away = True
    async with anyio.create_task_group() as tasks:
        late = Publisher("east", book, LoopClock(), Random(1))
        tasks.start_soon(late.run)
        with anyio.fail_after(20):
            assert await late.inherited() is None
        tasks.cancel_scope.cancel()


async def test_what_was_reached_before_it_was_seen_what_others_left_is_not_written() -> None:
    book = Book()
    async with publishing(book) as publisher:
        publisher.put_rollout(rollout_view(str(CHECKOUT)))
    book.away = True
    async with publishing(book) as successor:
        successor.reach(at(1))
        successor.put_cluster(ClusterView("east", ConnectionStatus.SYNCING, NOON))
        book.come_back()
        await anyio.sleep(20)
    assert (await book.claim("east"))[1].checkpoint is None


def test_nobody_goes_on_where_rollouts_were_not_being_watched() -> None:
    found = Checkpoint(shape(), "east", (), (Reached(Kind.POD, "", "1"),))
    assert why_not(found, "east", ()) == "rollouts were not being watched"
