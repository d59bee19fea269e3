"""What every `Broker` does, whatever carries the facts."""

from collections.abc import AsyncIterator
from datetime import timedelta

import anyio
import pytest

from contract.brokers import BROKERS, LOG
from contract.servers import OnDemand
from factories import NOON, rollout_view
from rollgraph.core.connection import ClusterView, ConnectionStatus
from rollgraph.core.errors import FencedError
from rollgraph.core.feed.checkpoints import Checkpoint, Reached, Strays, shape
from rollgraph.core.feed.entries import Batch, Fact, Position, Subject, Value
from rollgraph.core.refs import Kind, ObjectKey
from rollgraph.core.view import build_view
from rollgraph.ports import Broker, Feed
from samples import family

pytestmark = pytest.mark.looptime(False)

CHECKOUT, CART = ObjectKey("shop", "checkout"), ObjectKey("shop", "cart")


@pytest.fixture(params=BROKERS)
async def broker(request: pytest.FixtureRequest, server: OnDemand) -> AsyncIterator[Broker]:
    async with BROKERS[request.param](server) as found:
        yield found.broker


def view(name: str = "checkout", minute: int = 0) -> Value:
    return rollout_view(f"east/shop/{name}", updated_at=NOON + timedelta(minutes=minute))


def east() -> ClusterView:
    return ClusterView("east", ConnectionStatus.CONNECTED, NOON)


async def put(feed: Feed, *facts: tuple[Subject, Value]) -> Position:
    return await feed.append([Fact(*fact, NOON) for fact in facts])


async def known(broker: Broker, cluster: str = "east") -> dict[Subject, Value]:
    found = await broker.snapshot(cluster)
    assert found is not None
    return {entry.subject: entry.value for entry in found.entries}


async def test_what_is_written_is_in_the_state_the_log_and_the_messages(broker: Broker) -> None:
    feed, empty = await broker.claim("east")
    assert (empty.entries, empty.position.seq) == ([], 0) or list(empty.entries) == []
    async with broker.listen() as heard:
        assert await anext(heard) is None
        facts = [(None, east()), (CHECKOUT, view()), (CART, view("cart"))]
        position = await put(feed, *facts)
        message = await anext(heard)
    assert position == Position(empty.position.epoch, 3) == feed.position
    assert isinstance(message, Batch)
    assert (message.cluster, message.epoch, message.first) == ("east", position.epoch, 1)
    told = [(entry.subject, entry.value) for entry in message.entries]
    assert told == facts
    assert {entry.at for entry in message.entries} == {NOON}
    assert await known(broker) == dict(facts)
    log = await broker.log("east", empty.position)
    assert log is not None
    assert list(log) == list(message.entries)
    assert await broker.positions() == {"east": position}


async def test_a_view_arrives_as_it_was(broker: Broker) -> None:
    whole = build_view("east", *family("canary-at-20-percent"))
    feed, _ = await broker.claim("east")
    await put(feed, (CHECKOUT, whole))
    assert await known(broker) == {CHECKOUT: whole}


async def test_what_is_gone_is_not_in_the_state_but_in_the_log(broker: Broker) -> None:
    feed, start = await broker.claim("east")
    await put(feed, (CHECKOUT, view()), (CART, view("cart")))
    await put(feed, (CHECKOUT, None))
    assert set(await known(broker)) == {CART}
    log = await broker.log("east", start.position)
    assert log is not None
    assert [(entry.subject, entry.value is None) for entry in log] == [
        (CHECKOUT, False),
        (CART, False),
        (CHECKOUT, True),
    ]


async def test_nothing_to_write_writes_nothing(broker: Broker) -> None:
    feed, start = await broker.claim("east")
    assert await put(feed) == start.position


async def test_who_has_been_replaced_writes_nothing(broker: Broker) -> None:
    old, _ = await broker.claim("east")
    await put(old, (CHECKOUT, view()))
    new, taken_over = await broker.claim("east")
    assert {entry.subject for entry in taken_over.entries} == {CHECKOUT}
    with pytest.raises(FencedError):
        await put(old, (CART, view("cart")))
    assert set(await known(broker)) == {CHECKOUT}
    # The numbers go on: no reader need start over because the worker is another.
    assert await put(new, (CART, view("cart"))) == Position(taken_over.position.epoch, 2)


async def test_spokes_do_not_disturb_each_other(broker: Broker) -> None:
    east_feed, _ = await broker.claim("east")
    west_feed, _ = await broker.claim("west")
    await put(east_feed, (CHECKOUT, view()))
    await put(west_feed, (CART, view("cart")))
    await put(east_feed, (CHECKOUT, view(minute=1)))
    assert {name: at.seq for name, at in (await broker.positions()).items()} == {
        "east": 2,
        "west": 1,
    }
    assert set(await known(broker, "west")) == {CART}


async def test_a_log_that_does_not_reach_back_so_far_says_so(broker: Broker) -> None:
    feed, start = await broker.claim("east")
    for minute in range(LOG * 3):
        await put(feed, (CHECKOUT, view(minute=minute)))
    assert await broker.log("east", start.position) is None
    assert await broker.log("east", Position(start.position.epoch, LOG * 3)) == []
    near = await broker.log("east", Position(start.position.epoch, LOG * 3 - 2))
    assert near is not None
    assert [entry.seq for entry in near] == [LOG * 3 - 1, LOG * 3]


async def test_a_log_of_another_epoch_says_so(broker: Broker) -> None:
    await broker.claim("east")
    assert await broker.log("east", Position("another", 0)) is None
    assert await broker.log("nowhere", Position("another", 0)) is None
    assert await broker.snapshot("nowhere") is None


async def test_a_dropped_spoke_is_gone_and_who_listens_looks(broker: Broker) -> None:
    feed, start = await broker.claim("east")
    await put(feed, (CHECKOUT, view()))
    async with broker.listen() as heard:
        assert await anext(heard) is None
        await broker.drop("east")
        assert await anext(heard) is None
    assert await broker.positions() == {}
    assert await broker.snapshot("east") is None
    with pytest.raises(FencedError):
        await put(feed, (CHECKOUT, view()))
    again, anew = await broker.claim("east")
    assert anew.position.epoch != start.position.epoch
    assert await put(again, (CHECKOUT, view()))


async def test_many_facts_at_once_arrive_in_order(broker: Broker) -> None:
    feed, _ = await broker.claim("east")
    facts = [(ObjectKey("shop", f"shop-{n}"), view(f"shop-{n}")) for n in range(450)]
    async with broker.listen() as heard:
        assert await anext(heard) is None
        await put(feed, *facts)
        seqs: list[int] = []
        with anyio.fail_after(10):
            while len(seqs) < len(facts):
                message = await anext(heard)
                assert message is not None
                seqs += [entry.seq for entry in message.entries]
    assert seqs == list(range(1, 451))
    assert len(await known(broker)) == 450


def checkpoint(version: str = "100") -> Checkpoint:
    _, belongings = family("canary-at-20-percent")
    strays = Strays(tuple(belongings.replica_sets), tuple(belongings.pods))
    reached = (Reached(Kind.ROLLOUT, "", version), Reached(Kind.POD, "shop", version))
    return Checkpoint(shape(), "of-east", ("shop",), reached, strays)


async def left(broker: Broker) -> Checkpoint | None:
    """What the next worker gets."""
    return (await broker.claim("east"))[1].checkpoint


async def test_a_checkpoint_is_given_to_who_claims_the_feed_next(broker: Broker) -> None:
    feed, first = await broker.claim("east")
    assert first.checkpoint is None
    await feed.append([Fact(CHECKOUT, view(), NOON)], checkpoint())
    assert await left(broker) == checkpoint()
    assert await left(broker) == checkpoint()


async def test_a_checkpoint_is_that_of_the_last_state_or_there_is_none(broker: Broker) -> None:
    feed, _ = await broker.claim("east")
    await feed.append([Fact(CHECKOUT, view(), NOON)], checkpoint("100"))
    await feed.append([Fact(CHECKOUT, view(minute=1), NOON)], checkpoint("101"))
    assert await left(broker) == checkpoint("101")
    feed, _ = await broker.claim("east")
    await put(feed, (CHECKOUT, None))
    assert await left(broker) is None


async def test_what_is_said_of_the_spoke_alone_leaves_a_checkpoint_as_it_is(
    broker: Broker,
) -> None:
    feed, _ = await broker.claim("east")
    await feed.append([Fact(CHECKOUT, view(), NOON)], checkpoint())
    await put(feed, (None, east()))
    assert await left(broker) == checkpoint()


async def test_a_checkpoint_of_many_facts_is_written_with_the_last(broker: Broker) -> None:
    feed, _ = await broker.claim("east")
    facts = [Fact(ObjectKey("shop", f"shop-{n}"), view(f"shop-{n}"), NOON) for n in range(450)]
    await feed.append(facts, checkpoint())
    assert len(await known(broker)) == 450
    assert await left(broker) == checkpoint()


async def test_who_has_been_replaced_leaves_no_checkpoint(broker: Broker) -> None:
    old, _ = await broker.claim("east")
    new, _ = await broker.claim("east")
    await new.append([Fact(CHECKOUT, view(), NOON)], checkpoint("100"))
    with pytest.raises(FencedError):
        await old.append([Fact(None, east(), NOON)], checkpoint("99"))
    assert await left(broker) == checkpoint("100")


async def test_a_dropped_spoke_has_no_checkpoint(broker: Broker) -> None:
    feed, _ = await broker.claim("east")
    await feed.append([Fact(CHECKOUT, view(), NOON)], checkpoint())
    await broker.drop("east")
    assert await left(broker) is None
