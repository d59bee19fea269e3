"""A real API server says whose a service account's token is, and for whom it is meant."""

from collections.abc import AsyncIterator

import pytest

from rollgraph.adapters.kubernetes.credentials import FixedCredentials, bearer
from rollgraph.adapters.kubernetes.patcher import KubernetesPatcher
from rollgraph.adapters.kubernetes.tls import tls_context
from rollgraph.core.errors import ForbiddenError
from rollgraph.core.serviceaccount import read
from rollgraph.ports import Reviewed
from testbed.spoke import Spoke

pytestmark = [pytest.mark.looptime(False), pytest.mark.acceptance]


def opened(spoke: Spoke, user: str = "admin") -> KubernetesPatcher:
    access = spoke.access(user)
    tls = tls_context(ca=access.ca.encode())
    return KubernetesPatcher(access.url, FixedCredentials(bearer(access.token)), tls=tls)


@pytest.fixture
async def patcher(real: Spoke) -> AsyncIterator[KubernetesPatcher]:
    made = opened(real)
    yield made
    await made.close()


async def test_a_token_for_us_is_known(real: Spoke, patcher: KubernetesPatcher) -> None:
    real.namespace("robots")
    token = real.service_account_token("deployer", "robots", audiences=["rollgraph"])
    assert await patcher.review(token, ["rollgraph"]) == Reviewed(
        "system:serviceaccount:robots:deployer",
        ("system:serviceaccounts", "system:serviceaccounts:robots", "system:authenticated"),
    )
    claims = read(token)
    assert claims is not None
    assert claims.sub == "system:serviceaccount:robots:deployer"


async def test_a_token_for_the_server_itself_is_not(
    real: Spoke, patcher: KubernetesPatcher
) -> None:
    real.namespace("robots")
    token = real.service_account_token("deployer", "robots")
    assert await patcher.review(token, ["rollgraph"]) is None


async def test_what_is_no_token_is_not(patcher: KubernetesPatcher) -> None:
    assert await patcher.review("a.b.c", ["rollgraph"]) is None


async def test_who_may_not_ask_is_told_so(real: Spoke) -> None:
    reader = opened(real, "reader")
    try:
        with pytest.raises(ForbiddenError) as caught:
            await reader.review("a.b.c", ["rollgraph"])
        assert "a.b.c" not in str(caught.value)
    finally:
        await reader.close()
