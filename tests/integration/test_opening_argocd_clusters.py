"""From a cluster's Secret, as Argo CD has it, to an answer of the server that it describes."""

import base64
import json
import shutil
import ssl
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml

from fakes.apiserver import serving
from fakes.certificates import Certificates, make_certificates
from fakes.hub import FakeHub
from rollgraph.adapters.kubernetes.argocd.access import FindEntry, context_entry, pod_entry
from rollgraph.adapters.kubernetes.argocd.hub import Hub
from rollgraph.adapters.kubernetes.argocd.source import ArgoCdSource
from rollgraph.core.errors import UnreachableError
from rollgraph.ports import ServerVersions

pytestmark = [
    pytest.mark.looptime(False),  # real sockets
    pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificates"),
]

IN_CLUSTER = "https://kubernetes.default.svc"
API = "client.authentication.k8s.io/v1beta1"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    names = "DNS:localhost,IP:127.0.0.1"
    return make_certificates(tmp_path_factory.mktemp("tls"), server_names=names)


def no_hub() -> Any:
    return pod_entry({})


async def asked(
    server: str,
    config: dict[str, Any],
    *,
    hub_entry: FindEntry = no_hub,
    exec_allow: tuple[str, ...] = (),
) -> ServerVersions:
    """The answer of the server that a Secret describes."""
    fake = FakeHub()
    fake.config_map("argocd-cm", cluster__inClusterEnabled=str(server == IN_CLUSTER).lower())
    fake.secret("west", name="west", server=server, config=config)
    hub = Hub(fake.open, "argocd", rng=Random(1))
    async with ArgoCdSource(hub, hub_entry, exec_allow=exec_allow).watch() as answers:
        [spoke] = await anext(answers)
    listwatch = await spoke.open()
    try:
        return await listwatch.versions()
    finally:
        await listwatch.close()


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def tls(folder: Path, certificates: Certificates, *, clients: bool = False) -> ssl.SSLContext:
    """What a server uses; with `clients` it takes nobody without a certificate of its CA."""
    pem = folder / "server.pem"
    pem.write_bytes(certificates.server_cert + certificates.server_key)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pem)
    if clients:
        context.load_verify_locations(cadata=certificates.ca.decode())
        context.verify_mode = ssl.CERT_REQUIRED
    return context


async def test_whom_to_trust(tmp_path: Path, certificates: Certificates) -> None:
    async with serving(tls=tls(tmp_path, certificates)) as server:
        trusted = {"caData": b64(certificates.ca)}
        for good in (trusted, {"insecure": True}, trusted | {"serverName": "localhost"}):
            answer = await asked(server.url, {"tlsClientConfig": good})
            assert answer.kubernetes == "v1.34.4"
        for bad in ({}, trusted | {"serverName": "elsewhere"}):
            with pytest.raises(UnreachableError):
                await asked(server.url, {"bearerToken": "t", "tlsClientConfig": bad})


async def test_a_client_certificate(tmp_path: Path, certificates: Certificates) -> None:
    async with serving(tls=tls(tmp_path, certificates, clients=True)) as server:
        trusted = {"caData": b64(certificates.ca)}
        own = {
            "certData": b64(certificates.client_cert),
            "keyData": b64(certificates.client_key),
        }
        assert (await asked(server.url, {"tlsClientConfig": trusted | own})).kubernetes
        with pytest.raises(UnreachableError):
            await asked(server.url, {"tlsClientConfig": trusted})


async def test_every_way_to_be_someone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = {"apiVersion": API, "status": {"token": "from-a-program"}}
    (tmp_path / "answer").write_text(json.dumps(answer))
    program = tmp_path / "argocd-k8s-auth"
    program.write_text(f'#!/bin/sh\necho "$@" "$REGION" > {tmp_path}/args\ncat {tmp_path}/answer\n')
    program.chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    aws = {"clusterName": "c", "roleARN": "arn", "profile": "p"}
    other = {"command": "argocd-k8s-auth", "args": ["gcp"], "env": {"REGION": "eu"}}
    basic = "Basic " + b64(b"me:pw")
    from_program = "Bearer from-a-program"
    async with serving() as server:
        for config, header, args in (
            ({"bearerToken": "t"}, "Bearer t", ""),
            ({"username": "me", "password": "pw"}, basic, ""),
            ({}, None, ""),
            (
                {"awsAuthConfig": aws, "bearerToken": "shadowed"},
                from_program,
                "aws --cluster-name c --role-arn arn --profile p",
            ),
            ({"execProviderConfig": other | {"apiVersion": API}}, from_program, "gcp eu"),
        ):
            await asked(server.url, config, exec_allow=("argocd-k8s-auth",))
            assert server.requests[-1].headers.get("authorization") == header
            if args:
                assert (tmp_path / "args").read_text().strip() == args


async def test_a_path_is_kept_and_a_query_is_not_sent() -> None:
    async with serving() as server:
        await asked(f"{server.url}/k8s/clusters/c-1?team=shop", {})
        assert server.requests[0].path == "/k8s/clusters/c-1/version"
        assert server.requests[0].query == {}


async def test_a_proxy() -> None:
    async with serving() as server:
        answer = await asked("http://spoke.invalid", {"proxyUrl": server.url})
        assert answer.kubernetes == "v1.34.4"
        assert server.requests[-1].headers["host"] == "spoke.invalid"


async def test_the_hub_is_reached_as_argocd_is_but_perhaps_as_somebody_else(
    tmp_path: Path,
) -> None:
    async with serving() as server:
        path = tmp_path / "config"

        def write(token: str) -> None:
            config = {
                "clusters": [{"name": "hub", "cluster": {"server": server.url}}],
                "users": [{"name": "me", "user": {"token": token}}],
                "contexts": [{"name": "hub", "context": {"cluster": "hub", "user": "me"}}],
            }
            path.write_text(yaml.safe_dump(config))

        def hub_entry() -> Any:
            return context_entry((path,), "hub")

        for token, config, header in (
            ("first", {}, "Bearer first"),
            ("renewed", {}, "Bearer renewed"),
            ("first", {"bearerToken": "of-the-secret"}, "Bearer of-the-secret"),
        ):
            write(token)
            await asked(IN_CLUSTER, config, hub_entry=hub_entry)
            assert server.requests[-1].headers["authorization"] == header


async def test_a_pods_own_cluster(tmp_path: Path, certificates: Certificates) -> None:
    (tmp_path / "ca.crt").write_bytes(certificates.ca)
    (tmp_path / "token").write_text("of-the-pod\n")
    async with serving(tls=tls(tmp_path, certificates)) as server:
        port = server.url.rsplit(":", 1)[1]
        environ = {"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": port}
        await asked(IN_CLUSTER, {}, hub_entry=lambda: pod_entry(environ, tmp_path))
        assert server.requests[-1].headers["authorization"] == "Bearer of-the-pod"


@pytest.mark.parametrize(
    ("config", "encoding"), [({}, "gzip"), ({"disableCompression": True}, "identity")]
)
async def test_lists_are_compressed_unless_that_is_off(
    config: dict[str, Any], encoding: str
) -> None:
    async with serving() as server:
        await asked(server.url, config)
        assert server.requests[-1].headers["accept-encoding"] == encoding
