"""Which spokes Argo CD's Secrets describe, at the start and as they change."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

import anyio
import pytest
from structlog.testing import capture_logs

from fakes.hub import CORE, FakeHub
from rollgraph.adapters.kubernetes.argocd.access import context_entry, pod_entry
from rollgraph.adapters.kubernetes.argocd.hub import Hub
from rollgraph.adapters.kubernetes.argocd.source import ArgoCdSource
from rollgraph.adapters.kubernetes.kubeconfig import Entry
from rollgraph.core.errors import ConfigError, UnreachableError
from rollgraph.ports import Spoke

EXEC_API = "client.authentication.k8s.io/v1beta1"


def nowhere() -> Entry:
    raise ConfigError("there is no hub")


@asynccontextmanager
async def watching(fake: FakeHub, **options: Any) -> AsyncIterator[AsyncIterator[Sequence[Spoke]]]:
    """The answers of a source whose hub is kept up."""
    hub = Hub(fake.open, "argocd", rng=Random(1))
    source = ArgoCdSource(hub, nowhere, **options)
    async with source.watch() as answers, anyio.create_task_group() as tasks:
        tasks.start_soon(hub.run)
        yield answers
        tasks.cancel_scope.cancel()


async def after(answers: AsyncIterator[Sequence[Spoke]]) -> dict[str, Spoke]:
    """The next answer, within a minute of virtual time."""
    with anyio.fail_after(60):
        return {spoke.name: spoke for spoke in await anext(answers)}


async def spokes(fake: FakeHub, **options: Any) -> dict[str, Spoke]:
    """All spokes now."""
    async with watching(fake, **options) as answers:
        return await after(answers)


def two() -> FakeHub:
    fake = FakeHub()
    fake.config_map("argocd-cm", cluster__inClusterEnabled="false")
    fake.secret(
        "west",
        name="west",
        server="https://west",
        namespaces="shop",
        labels={"env": "prod", "argocd.argoproj.io/secret-type": "cluster"},
        config={"bearerToken": "s3cret"},
    )
    fake.secret("east", name="east", server="https://east", config={"bearerToken": "s3cret"})
    return fake


async def test_each_secret_is_a_spoke() -> None:
    found = await spokes(two(), namespaces=["bank"])
    assert sorted(found) == ["east", "west"]
    assert found["west"].labels == {"env": "prod"}
    assert found["west"].namespaces == ("shop",)
    assert found["east"].namespaces == ("bank",)


async def test_the_hub_is_a_spoke_unless_argocd_cm_says_no() -> None:
    fake = two()
    fake.config_map("argocd-cm")
    async with watching(fake) as answers:
        assert "in-cluster" in await after(answers)
        fake.config_map("argocd-cm", cluster__inClusterEnabled="false")
        assert "in-cluster" not in await after(answers)


async def test_a_rotated_secret_is_another_fingerprint() -> None:
    fake = two()
    async with watching(fake) as answers:
        before = await after(answers)
        fake.secret("west", name="west", server="https://west", config={"bearerToken": "newer"})
        rotated = await after(answers)
        assert rotated["west"].fingerprint != before["west"].fingerprint
        assert rotated["east"].fingerprint == before["east"].fingerprint
        fake.delete(f"{CORE}/secrets", "west")
        assert list(await after(answers)) == ["east"]
        skip = {"argocd.argoproj.io/skip-reconcile": "true"}
        fake.secret("east", name="east", server="https://east", annotations=skip)
        assert list(await after(answers)) == []


async def test_a_secret_that_only_argocd_changes_is_no_change() -> None:
    fake = two()
    async with watching(fake) as answers:
        await after(answers)
        refresh = {"argocd.argoproj.io/refresh": "2026-11-24T00:00:00Z"}
        config = {"bearerToken": "s3cret"}
        fake.secret("east", name="east", server="https://east", annotations=refresh, config=config)
        with pytest.raises(TimeoutError):
            await after(answers)


async def test_while_the_hub_is_away_the_last_answer_stays() -> None:
    fake = two()
    async with watching(fake) as answers:
        await after(answers)
        fake.break_down(UnreachableError("no connection"))
        with pytest.raises(TimeoutError):
            await after(answers)


async def test_a_broken_secret_is_a_spoke_that_says_why() -> None:
    fake = two()
    with capture_logs() as logs:
        async with watching(fake) as answers:
            await after(answers)
            fake.secret("west", name="west", server="https://west", config='{"a": "s3cret')
            found = await after(answers)
            fake.secret("third", name="third", server="https://third")
            await after(answers)
    with pytest.raises(ConfigError, match=r"^Secret argocd/west: config: expected JSON$"):
        await found["west"].open()
    problems = [log["error"] for log in logs if log["event"] == "argocd_cluster_misconfigured"]
    assert problems == ["Secret argocd/west: config: expected JSON"]


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"awsAuthConfig": {"clusterName": "c"}}, "'argocd-k8s-auth' may not be run"),
        (
            {"execProviderConfig": {"command": "sh", "apiVersion": EXEC_API}, "bearerToken": "t"},
            "'sh' may not be run",
        ),
        ({"proxyUrl": "socks5://u:s3cret@p"}, "proxy-url: expected an address"),
        ({"tlsClientConfig": {"caData": "czNjcmV0"}}, "authority is not valid PEM"),
        ({"tlsClientConfig": {"certData": "czNjcmV0"}}, "a client certificate and its key"),
        ({"bearerToken": "s3cret s3cret"}, "expected a token"),
    ],
)
async def test_what_is_wrong_is_said_with_its_secret_and_without_its_value(
    config: dict[str, Any], message: str
) -> None:
    fake = two()
    fake.secret("west", name="west", server="https://west", config=config)
    with pytest.raises(ConfigError, match=message) as caught:
        await (await spokes(fake, exec_allow=["other"]))["west"].open()
    assert str(caught.value).startswith("Secret argocd/west: ")
    assert "s3cret" not in str(caught.value)


async def test_no_text_of_a_spoke_has_a_secret_in_it() -> None:
    assert "s3cret" not in repr(await spokes(two()))


def test_a_pod_finds_its_own_cluster() -> None:
    environ = {"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443"}
    entry = pod_entry(environ)
    assert entry.cluster.server == "https://[fd00::1]:443"
    assert entry.user.token_file == "token"
    with pytest.raises(ConfigError, match="does not run in a pod"):
        pod_entry({})


def test_a_context_that_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text("contexts: []")
    with pytest.raises(ConfigError, match=r"config: expected a context 'hub'"):
        context_entry((path,), "hub")
