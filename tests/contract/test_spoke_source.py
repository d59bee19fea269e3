"""Every source of spokes keeps what `ports.SpokeSource` promises."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from random import Random
from typing import Protocol

import anyio
import pytest
import yaml

from fakes.hub import CORE, FakeHub
from rollgraph.adapters.kubernetes.argocd.access import pod_entry
from rollgraph.adapters.kubernetes.argocd.hub import Hub
from rollgraph.adapters.kubernetes.argocd.source import ArgoCdSource
from rollgraph.adapters.kubernetes.source import KubeconfigSource
from rollgraph.core.errors import ConfigError, UnreachableError
from rollgraph.ports import Spoke, SpokeSource

pytestmark = pytest.mark.looptime(False)  # files are read in threads

SECRET = "s3cret"
# Seconds: for an answer that comes, and for one that must not.
SOON, NEVER = 10.0, 0.3


class Book(Protocol):
    """Where clusters are written down, and the source that reads it."""

    def write(self, name: str, token: str = SECRET) -> None:
        """Adds or replaces a cluster."""

    def remove(self, name: str) -> None:
        """Takes one out."""

    def spoil(self) -> None:
        """Makes it unreadable, for good."""

    def source(self) -> SpokeSource:
        """A new source."""

    def running(self) -> AbstractAsyncContextManager[None]:
        """Whatever has to run beside it."""


class Kubeconfig:
    """A kubeconfig file."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "config"
        self._tokens: dict[str, str] = {}
        self._save()

    def write(self, name: str, token: str = SECRET) -> None:
        self._tokens[name] = token
        self._save()

    def remove(self, name: str) -> None:
        del self._tokens[name]
        self._save()

    def spoil(self) -> None:
        self._path.write_text(f"token: {SECRET}: [")

    def source(self) -> SpokeSource:
        return KubeconfigSource(self._path, poll=0.02)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        yield

    def _save(self) -> None:
        names = list(self._tokens)
        clusters = [{"name": n, "cluster": {"server": f"https://{n}"}} for n in names]
        users = [{"name": n, "user": {"token": token}} for n, token in self._tokens.items()]
        contexts = [{"name": n, "context": {"cluster": n, "user": n}} for n in names]
        config = {"clusters": clusters, "users": users, "contexts": contexts}
        scratch = self._path.with_suffix(".new")
        scratch.write_text(yaml.safe_dump(config))
        scratch.replace(self._path)


class ArgoCd:
    """Argo CD's namespace."""

    def __init__(self, _: Path) -> None:
        self._fake = FakeHub()
        self._fake.config_map("argocd-cm", cluster__inClusterEnabled="false")
        self._hub = Hub(self._fake.open, "argocd", rng=Random(1))

    def write(self, name: str, token: str = SECRET) -> None:
        config = {"bearerToken": token}
        self._fake.secret(f"{name}-secret", name=name, server=f"https://{name}", config=config)

    def remove(self, name: str) -> None:
        self._fake.delete(f"{CORE}/secrets", f"{name}-secret")

    def spoil(self) -> None:
        self._fake.break_down(UnreachableError("no connection"))

    def source(self) -> SpokeSource:
        return ArgoCdSource(self._hub, lambda: pod_entry({}))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._hub.run)
            yield
            tasks.cancel_scope.cancel()


@pytest.fixture(params=[Kubeconfig, ArgoCd], ids=["kubeconfig", "argocd"])
def book(request: pytest.FixtureRequest, tmp_path: Path) -> Book:
    """A book that knows `east` and `west`."""
    made: Book = request.param(tmp_path)
    made.write("east")
    made.write("west")
    return made


@asynccontextmanager
async def watching(book: Book) -> AsyncIterator[AsyncIterator[Sequence[Spoke]]]:
    async with book.source().watch() as answers, book.running():
        yield answers


async def after(answers: AsyncIterator[Sequence[Spoke]]) -> dict[str, Spoke]:
    with anyio.fail_after(SOON):
        return {spoke.name: spoke for spoke in await anext(answers)}


async def test_all_spokes_come_at_once_and_again_after_each_change(book: Book) -> None:
    async with watching(book) as answers:
        assert sorted(await after(answers)) == ["east", "west"]
        book.write("north")
        assert sorted(await after(answers)) == ["east", "north", "west"]
        book.remove("west")
        assert sorted(await after(answers)) == ["east", "north"]


async def test_the_first_answer_needs_nobody_who_keeps_up(book: Book) -> None:
    async with book.source().watch() as answers:
        assert sorted(await after(answers)) == ["east", "west"]


async def test_a_fingerprint_tells_new_credentials_and_reveals_nothing(book: Book) -> None:
    async with watching(book) as answers:
        before = await after(answers)
        book.write("west", "another")
        changed = await after(answers)
    assert changed["west"].fingerprint != before["west"].fingerprint
    assert changed["east"].fingerprint == before["east"].fingerprint
    assert SECRET not in repr(before)


async def test_what_stays_the_same_is_not_told(book: Book) -> None:
    async with watching(book) as answers:
        await after(answers)
        book.write("west")
        with pytest.raises(TimeoutError):
            with anyio.fail_after(NEVER):
                await anext(answers)


async def test_later_trouble_keeps_the_last_good_answer(book: Book) -> None:
    async with watching(book) as answers:
        await after(answers)
        book.spoil()
        with pytest.raises(TimeoutError):
            with anyio.fail_after(NEVER):
                await anext(answers)


async def test_trouble_at_the_start_is_an_error_without_a_secret(book: Book) -> None:
    book.spoil()
    with pytest.raises(ConfigError) as caught:
        async with book.source().watch():
            pass
    assert SECRET not in str(caught.value)


async def test_each_spoke_can_be_opened_to_be_watched_and_to_be_changed(book: Book) -> None:
    async with watching(book) as answers:
        west = (await after(answers))["west"]
        assert west.open_patcher is not None
        for opened in (await west.open(), await west.open_patcher()):
            await opened.close()
