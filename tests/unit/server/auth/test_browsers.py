"""Logins of browsers: how long they last, and how they are renewed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import anyio
import pytest
from starlette.requests import HTTPConnection

from fakes.clock import START, LoopClock
from rollgraph.adapters.memory.sessions import MemorySessions
from rollgraph.core.errors import IdentityProviderError, RollgraphError, UnauthenticatedViewerError
from rollgraph.core.session import Grant, PendingLogin
from rollgraph.core.viewer import Login, Viewer
from rollgraph.server.auth.browsers import Browsers, Lifetime
from rollgraph.server.auth.cookies import Cookies
from rollgraph.server.auth.origins import Origins

ORIGIN = "https://rollgraph.example.com"
LIFETIME = Lifetime(idle=timedelta(hours=1), most=timedelta(hours=12))
# Seconds that a grant lasts.
GRANT = 600


@dataclass
class Provider:
    """A `ports.LoginProvider` that renews.

    Attributes:
        trouble: How renewing fails.
        renewed: With which refresh tokens it was asked.
        takes: Seconds that an answer takes.
    """

    trouble: RollgraphError | None = None
    renewed: list[str] = field(default_factory=list)
    takes: float = 0.1

    def grant(self, number: int, refresh_token: str) -> Grant:
        viewer = Viewer("alice", login=Login.SESSION)
        until = LoopClock().now() + timedelta(seconds=GRANT)
        return Grant(viewer, f"id-{number}", refresh_token, until)

    async def begin(self, back: str) -> PendingLogin:
        raise AssertionError

    async def finish(self, answer: Mapping[str, str], pending: PendingLogin, back: str) -> Grant:
        raise AssertionError

    async def renew(self, grant: Grant) -> Grant:
        self.renewed.append(grant.refresh_token)
        await anyio.sleep(self.takes)
        if self.trouble is not None:
            raise self.trouble
        number = len(self.renewed)
        return self.grant(number, f"refresh-{number}")

    async def farewell(self, back: str) -> str:
        raise AssertionError


class Person:
    """Somebody with a login."""

    def __init__(self, provider: Provider, lifetime: Lifetime = LIFETIME) -> None:
        clock = LoopClock()
        self.store = MemorySessions(clock)
        self.browsers = Browsers(self.store, provider, Origins(ORIGIN), lifetime, clock)
        self.name = ""

    async def log_in(self, grant: Grant) -> None:
        self.name = await self.browsers.begin(grant)

    async def ask(self) -> tuple[Viewer, str] | None:
        cookie = f"{Cookies(ORIGIN).session}={self.name}"
        session = await self.browsers.session(self._connection(cookie, ""))
        csrf = "" if session is None else session.csrf
        return await self.browsers.identify(self._connection(cookie, csrf))

    def _connection(self, cookie: str, csrf: str) -> HTTPConnection:
        headers = {"cookie": cookie, "origin": ORIGIN, "x-rollgraph-csrf": csrf}
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        return HTTPConnection({"type": "http", "method": "POST", "headers": raw})


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture
def person(provider: Provider) -> Person:
    return Person(provider)


async def test_a_login_that_is_used_lasts_for_a_working_day(
    person: Person, provider: Provider
) -> None:
    await person.log_in(provider.grant(0, "refresh-0"))
    while anyio.current_time() < 12 * 3600 - 300:
        assert await person.ask()
        await anyio.sleep(240)
    await anyio.sleep(300)
    assert await person.ask() is None


async def test_one_that_is_not_used_ends_after_an_hour(person: Person, provider: Provider) -> None:
    await person.log_in(provider.grant(0, "refresh-0"))
    await anyio.sleep(3599)
    assert await person.ask()
    await anyio.sleep(3601)
    assert await person.ask() is None


async def test_a_viewer_is_logged_in_until_the_login_ends_whatever_token_it_began_with(
    person: Person, provider: Provider
) -> None:
    await person.log_in(provider.grant(0, "refresh-0"))
    begun = LoopClock().now()
    for asked_after in (0, 3000):
        await anyio.sleep(asked_after)
        found = await person.ask()
        assert found is not None
        assert found[0].expires_at == begun + timedelta(seconds=asked_after + 3600)


async def test_it_is_renewed_ahead_by_one_request_of_many(
    person: Person, provider: Provider
) -> None:
    await person.log_in(provider.grant(0, "refresh-0"))
    await anyio.sleep(GRANT - 61)
    await person.ask()
    assert provider.renewed == []
    await anyio.sleep(2)
    told: list[str] = []

    async def ask() -> None:
        found = await person.ask()
        assert found is not None
        told.append(found[1])

    async with anyio.create_task_group() as tasks:
        for _ in range(20):
            tasks.start_soon(ask)
    assert provider.renewed == ["refresh-0"]
    assert told == ["id-1"] * 20
    await anyio.sleep(GRANT - 59)
    await person.ask()
    assert provider.renewed == ["refresh-0", "refresh-1"]


async def test_who_goes_away_does_not_spend_the_refresh_token_for_nothing(
    person: Person, provider: Provider
) -> None:
    await person.log_in(provider.grant(0, "refresh-0"))
    await anyio.sleep(GRANT - 59)
    provider.takes = 1
    with anyio.move_on_after(0.5):
        await person.ask()
    found = await person.ask()
    assert found is not None
    assert (found[0].subject, found[1]) == ("alice", "id-1")
    assert provider.renewed == ["refresh-0"]


async def test_without_a_refresh_token_it_ends_with_its_grant(
    person: Person, provider: Provider
) -> None:
    await person.log_in(provider.grant(0, ""))
    await anyio.sleep(GRANT - 1)
    assert await person.ask()
    await anyio.sleep(1)
    with pytest.raises(UnauthenticatedViewerError, match="log in again"):
        await person.ask()
    assert await person.ask() is None
    assert provider.renewed == []


async def test_what_the_provider_has_ended_ends_when_its_grant_does(
    person: Person, provider: Provider
) -> None:
    await person.log_in(provider.grant(0, "refresh-0"))
    provider.trouble = UnauthenticatedViewerError("the provider refused: invalid_grant")
    await anyio.sleep(GRANT - 10)
    assert await person.ask()
    await anyio.sleep(10)
    with pytest.raises(UnauthenticatedViewerError, match="invalid_grant"):
        await person.ask()
    assert await person.ask() is None


async def test_while_the_provider_is_down_nobody_is_logged_out(
    person: Person, provider: Provider
) -> None:
    await person.log_in(provider.grant(0, "refresh-0"))
    provider.trouble = IdentityProviderError("nobody there")
    await anyio.sleep(GRANT)
    with pytest.raises(IdentityProviderError):
        await person.ask()
    provider.trouble = None
    assert await person.ask()


async def test_the_store_does_not_know_the_names_that_browsers_have(
    person: Person, provider: Provider
) -> None:
    await person.log_in(provider.grant(0, "refresh-0"))
    (key,) = person.store._sessions
    assert person.name
    assert person.name not in key
    assert await person.store.get(person.name) is None


async def test_who_has_been_away_longest_loses_their_login_when_there_are_too_many(
    provider: Provider,
) -> None:
    store = MemorySessions(LoopClock(), most=2)
    browsers = Browsers(store, provider, Origins(ORIGIN), LIFETIME, LoopClock())
    await browsers.begin(provider.grant(0, ""))
    first = next(iter(store._sessions))
    await browsers.begin(provider.grant(1, ""))
    assert await store.get(first)
    await browsers.begin(provider.grant(2, ""))
    assert await store.get(first)
    assert len(store._sessions) == 2


def test_no_text_of_a_login_has_a_secret(provider: Provider) -> None:
    grant = Grant(Viewer("alice"), "id-token", "refresh-token", START)
    pending = PendingLogin("https://idp/?state=s3", "s3", "n0nce", "ver1fier")
    for text in (repr(grant), str(grant), repr(pending), f"{pending}"):
        for secret in ("id-token", "refresh-token", "s3", "n0nce", "ver1fier"):
            assert secret not in text
