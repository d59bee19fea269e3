"""Service accounts: a cluster is asked once in a while, and not about what can be told without."""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import anyio
import pytest

from fakes.clock import START, LoopClock
from rollgraph.acting.patchers import Patchers
from rollgraph.adapters.kubernetes.tokenreview import reviewed
from rollgraph.core.errors import (
    ForbiddenError,
    IdentityProviderError,
    RollgraphError,
    UnauthenticatedError,
    UnauthenticatedViewerError,
    UnreachableError,
    UnreadableError,
)
from rollgraph.core.viewer import Login
from rollgraph.ports import Patcher, Reviewed, Spoke
from rollgraph.server.auth.serviceaccounts import ServiceAccounts

NOW = int(START.timestamp())
NAME = "system:serviceaccount:robots:deployer"
KNOWN = Reviewed(NAME, ("system:serviceaccounts", "system:authenticated"))


def token(**changes: Any) -> str:
    claims = {"sub": NAME, "aud": ["rollgraph"], "exp": NOW + 600} | changes
    held = {name: value for name, value in claims.items() if value is not None}
    payload = base64.urlsafe_b64encode(json.dumps(held).encode()).rstrip(b"=").decode()
    return f"e30.{payload}.c2ln"


@dataclass
class Cluster:
    """One that is asked.

    Attributes:
        answer: What it says, or how it fails.
        asked: The tokens.
        opened: How often it was opened.
    """

    answer: Reviewed | RollgraphError | None = KNOWN
    asked: list[str] = field(default_factory=list)
    opened: int = 0

    async def open(self) -> Patcher:
        self.opened += 1
        return cast(Patcher, self)

    async def review(self, token: str, audiences: Sequence[str]) -> Reviewed | None:
        self.asked.append(token)
        assert audiences == ("rollgraph",)
        await anyio.sleep(0.01)
        if isinstance(self.answer, RollgraphError):
            raise self.answer
        return self.answer

    async def close(self) -> None: ...


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


@pytest.fixture
async def accounts(cluster: Cluster) -> ServiceAccounts:
    patchers = Patchers()
    watched = cast(Any, cluster.open)
    await patchers.settle([Spoke("hub", "1", watched, open_patcher=cluster.open)])
    return ServiceAccounts(patchers, "hub", ("rollgraph",), LoopClock())


async def test_the_cluster_says_who_it_is(accounts: ServiceAccounts) -> None:
    viewer = await accounts.verify(token())
    assert viewer.subject == NAME
    assert viewer.groups == KNOWN.groups
    assert viewer.issuer == "kubernetes:hub"
    assert viewer.login is Login.SERVICE_ACCOUNT
    assert viewer.scopes is None
    assert viewer.expires_at is not None
    assert viewer.expires_at.timestamp() == NOW + 600


async def test_its_answer_holds_for_half_a_minute(
    cluster: Cluster, accounts: ServiceAccounts
) -> None:
    async with anyio.create_task_group() as tasks:
        for _ in range(20):
            tasks.start_soon(accounts.verify, token())
    assert len(cluster.asked) == 1
    await anyio.sleep(29)
    await accounts.verify(token())
    assert len(cluster.asked) == 1
    cluster.answer = None
    await anyio.sleep(1.1)
    with pytest.raises(UnauthenticatedViewerError, match="does not know"):
        await accounts.verify(token())


async def test_a_no_holds_for_five_seconds(cluster: Cluster, accounts: ServiceAccounts) -> None:
    cluster.answer = None
    for _ in range(3):
        with pytest.raises(UnauthenticatedViewerError, match="does not know"):
            await accounts.verify(token())
    assert len(cluster.asked) == 1
    cluster.answer = KNOWN
    await anyio.sleep(5)
    assert await accounts.verify(token())


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"exp": NOW}, "expired"),
        ({"aud": ["https://kubernetes.default.svc"]}, "not meant for Rollgraph"),
        ({"aud": None}, "not meant for Rollgraph"),
        ({"sub": "alice"}, "not a service account"),
    ],
)
async def test_what_can_be_told_without_it_is(
    cluster: Cluster, accounts: ServiceAccounts, changes: dict[str, Any], reason: str
) -> None:
    with pytest.raises(UnauthenticatedViewerError, match=reason):
        await accounts.verify(token(**changes))
    assert cluster.asked == []


async def test_a_token_that_is_somebody_elses_than_it_says_is_no_service_account(
    cluster: Cluster, accounts: ServiceAccounts
) -> None:
    cluster.answer = Reviewed("admin", ("system:masters",))
    with pytest.raises(UnauthenticatedViewerError):
        await accounts.verify(token())


@pytest.mark.parametrize("error", [UnreachableError("x"), ForbiddenError("no tokenreviews")])
async def test_a_cluster_that_does_not_answer_lets_nobody_in_and_nothing_be_kept(
    cluster: Cluster, accounts: ServiceAccounts, error: RollgraphError
) -> None:
    cluster.answer = error
    with pytest.raises(IdentityProviderError, match="hub"):
        await accounts.verify(token())
    cluster.answer = KNOWN
    assert await accounts.verify(token())


async def test_credentials_that_have_ended_are_had_anew(
    cluster: Cluster, accounts: ServiceAccounts
) -> None:
    cluster.answer = UnauthenticatedError("expired")
    with pytest.raises(IdentityProviderError):
        await accounts.verify(token())
    cluster.answer = KNOWN
    await accounts.verify(token())
    assert cluster.opened == 2


async def test_a_cluster_that_is_not_there_is_said_to_be() -> None:
    accounts = ServiceAccounts(Patchers(), "gone", ("rollgraph",), LoopClock())
    with pytest.raises(IdentityProviderError, match="'gone', which is not there"):
        await accounts.verify(token())


def test_a_server_that_compared_no_audience_has_said_nothing() -> None:
    status = {"authenticated": True, "user": {"username": NAME}}
    assert reviewed(json.dumps({"status": status}).encode()) is None
    status["audiences"] = ["rollgraph"]
    assert reviewed(json.dumps({"status": status}).encode()) == Reviewed(NAME)


def test_an_answer_that_is_none_is_not_repeated() -> None:
    with pytest.raises(UnreadableError) as caught:
        reviewed(b'{"spec": {"token": "very-secret"}, "status": 1}')
    assert "very-secret" not in f"{caught.value!r} {caught.value.__cause__!r}"
