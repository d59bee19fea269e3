"""What every `SessionStore` does, whichever gateway asks."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import anyio
import pytest

from contract.servers import OnDemand
from contract.stores import KINDS, MOST, stores
from rollgraph.core.session import Grant, Session
from rollgraph.core.viewer import Login, Viewer
from rollgraph.ports import SessionStore

pytestmark = pytest.mark.looptime(False)


@pytest.fixture(params=KINDS)
async def two(
    request: pytest.FixtureRequest, server: OnDemand
) -> AsyncIterator[tuple[SessionStore, SessionStore]]:
    async with stores(request.param, server) as found:
        yield found.sessions


def session(subject: str = "ann") -> Session:
    now = datetime.now(UTC)
    scopes = frozenset({"rollgraph:read"})
    viewer = Viewer(subject, ("dev", "ops"), "https://idp", Login.SESSION, scopes=scopes)
    return Session(Grant(viewer, "id", "refresh", now + timedelta(minutes=5)), "csrf", now, now)


def soon(seconds: float = 60) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


async def test_a_login_is_known_to_every_gateway_as_it_was(
    two: tuple[SessionStore, SessionStore],
) -> None:
    one, other = two
    login = session()
    await one.put("k", login, soon())
    assert await one.get("k") == login
    assert await other.get("k") == login
    assert await other.get("another") is None


async def test_what_is_put_again_replaces_it(two: tuple[SessionStore, SessionStore]) -> None:
    one, other = two
    await one.put("k", session(), soon())
    await other.put("k", later := session("bob"), soon())
    assert await one.get("k") == later


async def test_who_logs_out_is_out_everywhere(two: tuple[SessionStore, SessionStore]) -> None:
    one, other = two
    await one.put("k", session(), soon())
    await other.drop("k")
    await other.drop("k")
    assert await one.get("k") is None


async def test_a_login_ends_by_itself(two: tuple[SessionStore, SessionStore]) -> None:
    one, _ = two
    await one.put("k", session(), soon(0.5))
    assert await one.get("k")
    await anyio.sleep(0.6)
    assert await one.get("k") is None
    await one.put("k", session(), soon(-5))
    assert await one.get("k") is None


async def test_who_has_been_away_longest_loses_their_login(
    two: tuple[SessionStore, SessionStore],
) -> None:
    one, other = two
    for number in range(MOST):
        await one.put(f"k{number}", session(), soon())
    assert await other.get("k0")
    await one.put("another", session(), soon())
    assert await one.get("k1") is None
    assert await one.get("k0")


async def test_logins_that_are_over_take_nobody_s_place(
    two: tuple[SessionStore, SessionStore],
) -> None:
    one, _ = two
    await one.put("k", session(), soon())
    for number in range(MOST):
        await one.put(f"gone{number}", session(), soon())
        await one.drop(f"gone{number}")
    await one.put("another", session(), soon())
    assert await one.get("k")


async def test_a_login_is_renewed_by_one_at_a_time(two: tuple[SessionStore, SessionStore]) -> None:
    within: list[str] = []
    most = 0

    async def renew(store: SessionStore, key: str) -> None:
        nonlocal most
        async with store.turn(key):
            within.append(key)
            most = max(most, within.count("k"))
            await anyio.sleep(0.05)
            within.remove(key)

    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks:
            for store in (*two, *two):
                tasks.start_soon(renew, store, "k")
    assert most == 1
