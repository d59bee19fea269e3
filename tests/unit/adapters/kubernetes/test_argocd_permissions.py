"""Whose a rollout is, who may do what to it and who vouches for them: as the hub says, at once."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from random import Random

import anyio
import anyio.to_thread
import msgspec
import pytest
from structlog.testing import capture_logs

from factories import rollout_view
from fakes.hub import FakeHub
from rollgraph.access.policies import Access
from rollgraph.adapters.kubernetes.argocd import ownership
from rollgraph.adapters.kubernetes.argocd.access import pod_entry
from rollgraph.adapters.kubernetes.argocd.adopted import ArgoCd
from rollgraph.adapters.kubernetes.argocd.hub import Hub
from rollgraph.adapters.kubernetes.argocd.source import ArgoCdSource
from rollgraph.adapters.re2 import patterns
from rollgraph.core.argocd.logins import Login
from rollgraph.core.errors import ConfigError
from rollgraph.core.verbs import Verb
from rollgraph.core.view import RolloutView
from rollgraph.core.viewer import Viewer
from testbed.deadline import wait_until

pytestmark = pytest.mark.looptime(False)  # policies are read in threads

TRACKING = "argocd.argoproj.io/tracking-id"
ARTICLE = "p, role:team-my-team, applications, action/argoproj.io/Rollout/*, {object}, allow\n"
GRANT = "g, my-team, role:team-my-team\n"
TEAM = Viewer("jane", ("my-team",))


def filled() -> FakeHub:
    fake = FakeHub()
    fake.config_map("argocd-cm", cluster__inClusterEnabled="false")
    fake.secret("west", name="west", server="https://west")
    fake.project("my-project")
    fake.application("checkout", "my-project", "shop/checkout", server="https://west")
    return fake


def tracked(ref: str = "west/shop/checkout", app: str = "checkout") -> RolloutView:
    """A rollout that says it belongs to an application."""
    view = rollout_view(ref)
    claim = f"{app}:argoproj.io/Rollout:{view.ref.key}"
    meta = msgspec.structs.replace(view.rollout.metadata, annotations={TRACKING: claim})
    rollout = msgspec.structs.replace(view.rollout, metadata=meta)
    return msgspec.structs.replace(view, rollout=rollout)


def adopted(fake: FakeHub) -> ArgoCd:
    hub = Hub(fake.open, "argocd", rng=Random(1))
    return ArgoCd(hub, ArgoCdSource(hub, lambda: pod_entry({})))


@asynccontextmanager
async def running(fake: FakeHub) -> AsyncIterator[tuple[ArgoCd, Access]]:
    """An Argo CD that is kept up, and the access that its policies give."""
    argocd = adopted(fake)
    access = Access(argocd.policies, patterns, argocd.ownership)
    await access.load()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(argocd.run)
        tasks.start_soon(access.run)
        yield argocd, access
        tasks.cancel_scope.cancel()


async def until(true: Callable[[], bool]) -> None:
    """Waits until a change has arrived."""

    def check() -> str | None:
        return None if true() else "not yet"

    await anyio.to_thread.run_sync(
        lambda: wait_until(check, seconds=10, what="a change has arrived")
    )


async def test_whose_a_rollout_is_follows_the_hub() -> None:
    fake = filled()
    async with running(fake) as (argocd, _):
        mine, forged = tracked(), tracked("west/shop/forged")
        before = argocd.ownership.version
        assert str(argocd.ownership.application(mine)) == "my-project/checkout"
        assert argocd.ownership.application(forged) is None
        assert argocd.ownership.application(rollout_view("west/shop/plain")) is None
        fake.application("checkout", "my-project", "shop/forged", server="https://west")
        await until(lambda: argocd.ownership.version > before)
        assert argocd.ownership.application(mine) is None
        assert str(argocd.ownership.application(forged)) == "my-project/checkout"
        fake.secret("west", name="west", server="https://moved")
        await until(lambda: argocd.ownership.application(forged) is None)


async def test_answers_that_are_kept_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ownership, "MOST_KEPT", 3)
    async with running(filled()) as (argocd, _):
        views = [tracked(), *(tracked(f"west/shop/r{number}") for number in range(9))]
        for _ in range(2):
            found = [argocd.ownership.application(view) for view in views]
            assert [str(one) for one in found] == ["my-project/checkout"] + ["None"] * 9


async def test_the_policy_of_the_article_matches_no_application() -> None:
    """A bare project is no application: Argo CD refuses it, and so do we."""
    for said, allowed in (("my-project", False), ("my-project/*", True)):
        fake = filled()
        fake.config_map("argocd-rbac-cm", policy__csv=ARTICLE.format(object=said) + GRANT)
        async with running(fake) as (_, access):
            rights, view = access.rights(TEAM), tracked()
            for verb in (Verb.PROMOTE, Verb.ABORT, Verb.SET_IMAGE, Verb.UNDO):
                assert rights.may(verb, view.ref, view).allowed is allowed
            assert not rights.sees(view)  # an action needs no right to read, as in Argo CD


async def test_a_forged_application_gives_nobody_a_right() -> None:
    fake = filled()
    fake.config_map("argocd-rbac-cm", policy__csv=ARTICLE.format(object="my-project/*") + GRANT)
    async with running(fake) as (_, access):
        rights = access.rights(TEAM)
        for view in (tracked("east/shop/checkout"), tracked("west/bank/vault", "checkout")):
            assert not rights.may(Verb.PROMOTE, view.ref, view).allowed


async def test_a_change_of_the_policy_counts_at_once() -> None:
    fake = filled()
    async with running(fake) as (_, access):
        view = tracked()
        assert not access.rights(TEAM).sees(view)
        fake.config_map("argocd-rbac-cm", policy__default="role:readonly")
        await until(lambda: access.rights(TEAM).sees(view))
        assert not access.rights(TEAM).may(Verb.ABORT, view.ref, view).allowed
        fake.config_map("argocd-rbac-cm", policy__my__csv="g, my-team, role:admin")
        await until(lambda: access.rights(TEAM).may(Verb.ABORT, view.ref, view).allowed)


async def test_a_role_of_a_project_counts_for_that_project_alone() -> None:
    fake = filled()
    everything = "p, proj:my-project:ops, applications, *, */*, allow"
    fake.project(
        "my-project", roles=[{"name": "ops", "policies": [everything], "groups": ["my-team"]}]
    )
    fake.project("other")
    fake.application("pay", "other", "shop/pay", server="https://west")
    async with running(fake) as (_, access):
        rights = access.rights(TEAM)
        mine, theirs = tracked(), tracked("west/shop/pay", "pay")
        assert rights.sees(mine)
        assert rights.may(Verb.PROMOTE, mine.ref, mine).allowed
        assert not rights.sees(theirs)
        assert not rights.may(Verb.PROMOTE, theirs.ref, theirs).allowed


async def test_a_broken_project_policy_leaves_the_global_one() -> None:
    fake = filled()
    fake.config_map("argocd-rbac-cm", policy__csv=ARTICLE.format(object="my-project/*") + GRANT)
    async with running(fake) as (_, access):
        with capture_logs() as logs:
            before = access.version
            fake.project("my-project", roles=[{"name": "r", "policies": ["q, nonsense"]}])
            await until(lambda: access.version > before)
        view = tracked()
        assert access.rights(TEAM).may(Verb.PROMOTE, view.ref, view).allowed
        assert any("my-project" in str(log) for log in logs), logs


async def test_claims_with_groups_are_those_that_are_named() -> None:
    for said, claims in (
        ("[groups, email]", ("groups", "email")),
        ("- cognito:groups", ("cognito:groups",)),
        ("groups", ("groups",)),
        ("[", ("groups",)),
        ("[1]", ("groups",)),
    ):
        fake = filled()
        fake.config_map("argocd-rbac-cm", scopes=said)
        async with running(fake) as (_, access):
            assert access.text.groups_claims == claims


async def test_who_vouches_for_people_is_read_too() -> None:
    fake = filled()
    assert await adopted(fake).login() is None
    fake.config_map("argocd-cm", oidc__config="issuer: https://idp\nclientID: argo\n")
    assert await adopted(fake).login() == Login("https://idp", ("argo",))
    for broken, message in (
        ("issuer: [", "argocd-cm: oidc.config: expected YAML"),
        ("https://idp", "argocd-cm: oidc.config: expected issuer and clientID"),
        ("issuer: https://idp", "argocd-cm: oidc.config: expected issuer and clientID"),
    ):
        fake.config_map("argocd-cm", oidc__config=broken)
        with pytest.raises(ConfigError, match=message):
            await adopted(fake).login()


async def test_scripts_in_place_of_actions_are_warned_of() -> None:
    fake = filled()
    key = "resource__customizations__actions__argoproj.io_Rollout"
    fake.config_map("argocd-cm", **{key: "discovery.lua: |"})
    with capture_logs() as logs:
        async with running(fake):
            await until(lambda: bool(logs))
    [warning] = [log for log in logs if log["event"] == "argocd_actions_overridden"]
    assert warning["key"] == "argocd-cm: resource.customizations.actions.argoproj.io_Rollout"
