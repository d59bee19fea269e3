"""Spokes are opened when they are needed, and closed when they are gone and nobody uses them."""

import pytest

from fakes.fleet import FakeSource
from fakes.hands import Stage, StorePatcher
from rollgraph.acting.patchers import Patchers
from rollgraph.core.errors import UnreachableError
from rollgraph.core.identity import IdentityMode
from rollgraph.ports import ListWatch, Patcher, Spoke


class Opened:
    """What was opened, in order."""

    def __init__(self) -> None:
        self.patchers: list[StorePatcher] = []
        self._stage = Stage()

    async def __call__(self) -> Patcher:
        self.patchers.append(StorePatcher(self._stage))
        return self.patchers[-1]


async def never() -> ListWatch:
    raise AssertionError("nobody watches here")


@pytest.fixture
async def opened() -> Opened:
    return Opened()


def spoke(opened: Opened, name: str = "east", fingerprint: str = "1") -> Spoke:
    return Spoke(name, fingerprint, never, open_patcher=opened)


async def test_nothing_is_opened_before_it_is_needed(opened: Opened) -> None:
    patchers = Patchers()
    await patchers.settle([spoke(opened), spoke(opened, "west")])
    assert opened.patchers == []

    seat = patchers.seat("east")
    assert seat is not None
    async with seat.patcher() as one, seat.patcher() as other:
        assert one is other
    assert len(opened.patchers) == 1


async def test_what_has_not_changed_stays_open(opened: Opened) -> None:
    patchers = Patchers()
    await patchers.settle([spoke(opened)])
    before = patchers.seat("east")
    await patchers.settle([spoke(opened), spoke(opened, "west")])
    assert patchers.seat("east") is before


@pytest.mark.parametrize(
    "now",
    [
        lambda opened: [],
        lambda opened: [spoke(opened, fingerprint="2")],
        lambda opened: [
            Spoke(
                "east",
                "1",
                never,
                open_patcher=opened,
                identity=IdentityMode.SERVICE_ACCOUNT,
            )
        ],
    ],
    ids=["gone", "other credentials", "another identity"],
)
async def test_who_is_at_it_ends_as_they_should(opened: Opened, now) -> None:  # type: ignore[no-untyped-def]
    patchers = Patchers()
    await patchers.settle([spoke(opened)])
    seat = patchers.seat("east")
    assert seat is not None
    async with seat.patcher():
        await patchers.settle(now(opened))
        assert not opened.patchers[0].closed
    assert opened.patchers[0].closed
    assert patchers.seat("east") is not seat


async def test_who_watches_the_source_keeps_them_up(opened: Opened) -> None:
    patchers = Patchers()
    source = FakeSource(spoke(opened))
    async with patchers.follow(source).watch() as answers:
        assert [item.name for item in await anext(answers)] == ["east"]
        seat = patchers.seat("east")
        assert seat is not None
        async with seat.patcher():
            pass
        source.say(spoke(opened, "west"))
        await anext(answers)
        assert patchers.seat("east") is None
        assert patchers.seat("west") is not None
    assert patchers.seat("west") is None
    assert opened.patchers[0].closed


async def test_a_spoke_that_can_only_be_watched_says_so() -> None:
    patchers = Patchers()
    await patchers.settle([Spoke("east", "1", never)])
    with pytest.raises(UnreachableError, match="can be watched, but not be acted on"):
        await patchers.create_event("east", {})
    with pytest.raises(UnreachableError, match="there is no cluster 'west'"):
        await patchers.create_event("west", {})


async def test_events_are_created_as_ourselves(opened: Opened) -> None:
    patchers = Patchers()
    await patchers.settle([spoke(opened)])
    await patchers.create_event("east", {"metadata": {"namespace": "shop"}})
    assert opened.patchers[0].events == [{"metadata": {"namespace": "shop"}}]
