"""Argo CD's namespace is kept up, whatever its API server does."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from random import Random

import anyio
import pytest
from structlog.testing import capture_logs

from fakes.hub import CORE, FakeHub, argo
from rollgraph.adapters.kubernetes.argocd.hub import Hub
from rollgraph.core.errors import (
    ConfigError,
    ForbiddenError,
    NotInstalledError,
    ServerError,
    UnauthenticatedError,
    UnreachableError,
    UnreadableError,
)
from rollgraph.core.refs import ObjectKey

CHECKOUT = ObjectKey("argocd", "checkout")


def made(fake: FakeHub, *applications: str) -> Hub:
    return Hub(fake.open, "argocd", applications=applications, rng=Random(1))


@asynccontextmanager
async def running(fake: FakeHub, *applications: str) -> AsyncIterator[Hub]:
    """A hub that is kept up."""
    hub = made(fake, *applications)
    await hub.load()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(hub.run)
        await anyio.sleep(1)
        yield hub
        tasks.cancel_scope.cancel()
    assert fake.opened == fake.closed


async def soon(hub: Hub, true: Callable[[], bool]) -> None:
    """Waits, for a minute of virtual time at most."""
    with anyio.fail_after(60):
        await hub.until(true)


def filled() -> FakeHub:
    fake = FakeHub()
    fake.secret("west", name="west", server="https://west")
    fake.config_map("argocd-cm", url="https://argo")
    fake.config_map("argocd-rbac-cm", policy__default="role:readonly")
    fake.config_map("unrelated", s3cret="s3cret")
    fake.project("retail", sourceNamespaces=["team-a"])
    fake.application("checkout", "retail", "shop/checkout", server="https://west")
    return fake


async def test_everything_is_read_and_nothing_else() -> None:
    fake = filled()
    for number in range(5):  # more than a page
        fake.secret(f"s{number}", name=f"s{number}", server=f"https://s{number}")
    async with running(fake) as hub:
        assert len(hub.secrets.items) == 6
        assert hub.settings is not None
        assert hub.settings.data == {"url": "https://argo"}
        assert hub.rbac is not None
        assert hub.rbac.data == {"policy.default": "role:readonly"}
        assert list(hub.projects) == ["retail"]
        assert hub.application(CHECKOUT) is not None
        assert not hub.problems
    assert (f"{CORE}/secrets", "argocd.argoproj.io/secret-type=cluster") in {
        (path, query.get("labelSelector")) for path, query in fake.asked
    }


async def test_changes_arrive() -> None:
    fake = filled()
    async with running(fake) as hub:
        fake.delete(f"{CORE}/secrets", "west")
        await soon(hub, lambda: not hub.secrets.items)
        fake.secret("east", name="east", server="https://east")
        await soon(hub, lambda: [s.name for s in hub.secrets.items.values()] == ["east"])
        fake.config_map("argocd-rbac-cm", policy__default="")
        await soon(hub, lambda: hub.rbac is not None and not hub.rbac.data["policy.default"])


async def test_applications_of_other_namespaces_are_read_if_they_are_named() -> None:
    for named, found in (((), False), (("team-a",), True), (("*",), True)):
        fake = filled()
        fake.application("theirs", "retail", "shop/theirs", namespace="team-a")
        async with running(fake, *named) as hub:
            assert (hub.application(ObjectKey("team-a", "theirs")) is not None) is found
            assert hub.application(CHECKOUT) is not None


async def test_what_changes_nothing_that_is_kept_is_no_change() -> None:
    fake = filled()
    async with running(fake) as hub:
        before = hub.revisions(of="ownership")
        fake.application("checkout", "retail", "shop/checkout", server="https://west")
        fake.secret("west", name="west", server="https://west")
        fake.project("other")
        await soon(hub, lambda: "other" in hub.projects)
        after = hub.revisions(of="ownership")
        assert sum(after) == sum(before) + 1


@pytest.mark.parametrize(
    "error",
    [
        UnreachableError("no connection"),
        UnauthenticatedError("401"),
        ForbiddenError("403"),
        ServerError("500"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_while_the_hub_is_away_what_was_known_stays_and_that_is_said(
    error: UnreachableError,
) -> None:
    fake = filled()
    async with running(fake) as hub:
        with capture_logs() as logs:
            fake.break_down(error)
            await soon(hub, lambda: len(hub.problems) == 5)
            await anyio.sleep(3600)
        assert len(hub.secrets.items) == 1
        assert hub.application(CHECKOUT) is not None
        assert hub.problems[0] == f"Secret: {error}"
        # Once for each kind, not once for each attempt.
        assert [log["event"] for log in logs] == ["argocd_not_watched"] * 5
        assert fake.attempts < 5 * 3600 / 15
        fake.broken = None
        fake.secret("east", name="east", server="https://east")
        await soon(hub, lambda: len(hub.secrets.items) == 2 and not hub.problems)


async def test_one_kind_that_is_refused_does_not_hold_up_the_others() -> None:
    fake = filled()
    async with running(fake) as hub:
        fake.broken_at[f"{argo()}/applications"] = ForbiddenError("applications is forbidden")
        fake.notify()
        await soon(hub, lambda: bool(hub.problems))
        assert hub.problems == ["Application: applications is forbidden"]
        fake.delete(f"{CORE}/secrets", "west")
        await soon(hub, lambda: not hub.secrets.items)


async def test_after_a_410_everything_is_listed_anew() -> None:
    fake = filled()
    async with running(fake) as hub:
        fake.delete(f"{CORE}/secrets", "west")
        fake.compact()
        await soon(hub, lambda: not hub.secrets.items)
        fake.secret("east", name="east", server="https://east")
        await soon(hub, lambda: len(hub.secrets.items) == 1)
        assert not hub.problems


async def test_an_object_that_makes_no_sense_hides_no_other() -> None:
    fake = filled()
    async with running(fake) as hub:
        fake.put(f"{argo()}/applications", {"metadata": {"name": "odd"}, "spec": {"project": 5}})
        with capture_logs() as logs:
            await anyio.sleep(1)
        fake.application("next", "retail", "shop/next", server="https://west")
        await soon(hub, lambda: hub.application(ObjectKey("argocd", "next")) is not None)
        assert hub.application(ObjectKey("argocd", "odd")) is None
        assert logs[0]["event"] == "argocd_object_unreadable"
        assert logs[0]["name"] == "argocd/odd"
        assert "Expected `str`, got `int` - at `$.spec.project`" in logs[0]["error"]


@pytest.mark.parametrize(
    ("path", "error", "message"),
    [
        (f"{CORE}/secrets", ForbiddenError("secrets is forbidden"), "has the Role that Rollgraph"),
        (f"{argo()}/appprojects", NotInstalledError("404"), "expected Argo CD, installed with its"),
        (f"{argo()}/applications", UnreachableError("no connection"), "no connection"),
    ],
)
async def test_what_cannot_be_read_at_the_start_is_an_error_that_says_what_to_do(
    path: str, error: UnreachableError, message: str
) -> None:
    fake = filled()
    fake.broken_at[path] = error
    with pytest.raises(ConfigError, match=message) as caught:
        await made(fake).load()
    assert path in str(caught.value)
    assert fake.opened == fake.closed


async def test_a_proxy_that_cuts_each_watch_is_not_asked_each_second() -> None:
    fake = filled()
    fake.cuts = True
    async with running(fake) as hub:
        await anyio.sleep(3600)
        assert fake.attempts < 5 * 3600 / 15
        fake.cuts = False
        await soon(hub, lambda: not hub.problems)


async def test_an_answer_that_makes_no_sense_is_not_repeated_in_any_text() -> None:
    fake = filled()
    with capture_logs() as logs:
        async with running(fake) as hub:
            fake.break_down(UnreadableError("not a list: b's3cret'"))
            await soon(hub, lambda: len(hub.problems) == 5)
            assert hub.problems[0] == "Secret: the answer was not the API's"
    with pytest.raises(ConfigError, match="the answer was not the API's") as caught:
        await made(fake).load()
    assert "s3cret" not in json.dumps(logs) + str(caught.value)


async def test_no_log_line_has_a_secret_in_it() -> None:
    fake = filled()
    with capture_logs() as logs:
        async with running(fake) as hub:
            fake.secret("bad", name="bad", server="https://b", config='{"bearerToken": "s3cret')
            fake.put(f"{CORE}/secrets", {"metadata": {"name": "odd"}, "data": {"a": "s3cret!"}})
            await anyio.sleep(1)
            assert len(hub.secrets.items) == 2
            text = repr(hub.secrets.items)
    assert "s3cret" not in json.dumps(logs) + text
