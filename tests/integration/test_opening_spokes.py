"""From a kubeconfig to an answer of the server that it describes, over TLS where it says so."""

import base64
import json
import shutil
import ssl
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
import yaml

from fakes.apiserver import FakeApiServer, serving
from fakes.certificates import Certificates, make_certificates
from rollgraph.adapters.kubernetes.source import KubeconfigSource
from rollgraph.core.errors import ConfigError, UnauthenticatedError, UnreachableError
from rollgraph.ports import ListWatch, ServerVersions

pytestmark = [
    pytest.mark.looptime(False),  # real sockets
    pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificates"),
]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    names = "DNS:localhost,IP:127.0.0.1"
    return make_certificates(tmp_path_factory.mktemp("tls"), server_names=names)


def server_tls(
    folder: Path, certificates: Certificates, *, clients: bool = False
) -> ssl.SSLContext:
    """What a server uses; with `clients` it takes nobody without a certificate of its CA."""
    pem = folder / "server.pem"
    pem.write_bytes(certificates.server_cert + certificates.server_key)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pem)
    if clients:
        context.load_verify_locations(cadata=certificates.ca.decode())
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


async def opened(
    folder: Path, cluster: dict[str, Any], user: dict[str, Any], **options: Any
) -> ListWatch:
    """What a kubeconfig with one context leads to."""
    path = folder / "config"
    path.write_text(
        yaml.safe_dump(
            {
                "clusters": [{"name": "c", "cluster": cluster}],
                "users": [{"name": "u", "user": user}],
                "contexts": [{"name": "east", "context": {"cluster": "c", "user": "u"}}],
            }
        )
    )
    async with KubeconfigSource(path, **options).watch() as answers:
        [spoke] = await anext(answers)
    return await spoke.open()


async def asked(
    folder: Path, cluster: dict[str, Any], user: dict[str, Any], **options: Any
) -> ServerVersions:
    """The answer of the server that a kubeconfig describes."""
    listwatch = await opened(folder, cluster, user, **options)
    try:
        return await listwatch.versions()
    finally:
        await listwatch.close()


@asynccontextmanager
async def plain() -> AsyncIterator[tuple[FakeApiServer, dict[str, Any]]]:
    """A server without TLS, and how a kubeconfig describes it."""
    async with serving() as server:
        yield server, {"server": server.url}


async def test_a_ca_and_a_token(tmp_path: Path, certificates: Certificates) -> None:
    async with serving(tls=server_tls(tmp_path, certificates)) as server:
        cluster = {"server": server.url, "certificate-authority-data": b64(certificates.ca)}
        assert (await asked(tmp_path, cluster, {"token": "t"})).kubernetes == "v1.34.4"
        assert server.requests[0].headers["authorization"] == "Bearer t"
        (tmp_path / "ca.pem").write_bytes(certificates.ca)
        by_path = {"server": server.url, "certificate-authority": "ca.pem"}
        assert (await asked(tmp_path, by_path, {})).kubernetes == "v1.34.4"


async def test_a_server_that_is_not_trusted(
    tmp_path: Path, certificates: Certificates, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = make_certificates(tmp_path_factory.mktemp("other"), server_names="DNS:localhost")
    async with serving(tls=server_tls(tmp_path, certificates)) as server:
        for trusted in ({"certificate-authority-data": b64(other.ca)}, {}):
            with pytest.raises(UnreachableError, match="certificate verify failed"):
                await asked(tmp_path, {"server": server.url, **trusted}, {"token": "s3cret"})
        assert server.requests == []
        careless = {"server": server.url, "insecure-skip-tls-verify": True}
        assert (await asked(tmp_path, careless, {})).kubernetes == "v1.34.4"


async def test_a_server_by_another_name(tmp_path: Path, certificates: Certificates) -> None:
    async with serving(tls=server_tls(tmp_path, certificates)) as server:
        cluster = {"server": server.url, "certificate-authority-data": b64(certificates.ca)}
        named = cluster | {"tls-server-name": "localhost"}
        assert (await asked(tmp_path, named, {})).kubernetes == "v1.34.4"
        with pytest.raises(UnreachableError, match="Hostname mismatch"):
            await asked(tmp_path, cluster | {"tls-server-name": "elsewhere"}, {})


async def test_a_client_certificate_leaves_no_key_behind(
    tmp_path: Path, certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    async with serving(tls=server_tls(tmp_path, certificates, clients=True)) as server:
        cluster = {"server": server.url, "certificate-authority-data": b64(certificates.ca)}
        user = {
            "client-certificate-data": b64(certificates.client_cert),
            "client-key-data": b64(certificates.client_key),
        }
        assert (await asked(tmp_path, cluster, user)).kubernetes == "v1.34.4"
        assert list(temporary.iterdir()) == []
        with pytest.raises(UnreachableError):
            await asked(tmp_path, cluster, {})


async def test_a_plugin_may_give_a_certificate(tmp_path: Path, certificates: Certificates) -> None:
    api = "client.authentication.k8s.io/v1"
    status = {
        "clientCertificateData": certificates.client_cert.decode(),
        "clientKeyData": certificates.client_key.decode(),
    }
    (tmp_path / "answer").write_text(json.dumps({"apiVersion": api, "status": status}))
    plugin = tmp_path / "plugin"
    plugin.write_text(f"#!/bin/sh\ncat {tmp_path}/answer\n")
    plugin.chmod(0o700)
    async with serving(tls=server_tls(tmp_path, certificates, clients=True)) as server:
        cluster = {"server": server.url, "certificate-authority-data": b64(certificates.ca)}
        user = {"exec": {"command": str(plugin), "apiVersion": api, "provideClusterInfo": True}}
        answer = await asked(tmp_path, cluster, user, exec_allow=[str(plugin)])
        assert answer.kubernetes == "v1.34.4"
        with pytest.raises(ConfigError, match=r"context 'east': exec.command .* may not be run"):
            await asked(tmp_path, cluster, user)


async def test_every_way_to_be_someone(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from-file\n")
    basic = "Basic " + b64(b"me:pw")
    async with plain() as (server, cluster):
        ways = [
            ({"tokenFile": "token", "token": "shadowed"}, "Bearer from-file"),
            ({"token": "t", "username": "shadowed"}, "Bearer t"),
            ({"username": "me", "password": "pw"}, basic),
            ({}, None),
        ]
        for user, expected in ways:
            await asked(tmp_path, cluster, user)
            assert server.requests[-1].headers.get("authorization") == expected


async def test_acting_as_someone_else(tmp_path: Path) -> None:
    async with plain() as (server, cluster):
        user = {"token": "t", "as": "viewer", "as-uid": "7", "as-groups": ["a"]}
        await asked(tmp_path, cluster, user)
        headers = server.requests[-1].headers
        assert headers["impersonate-user"] == "viewer"
        assert headers["impersonate-uid"] == "7"
        assert headers["impersonate-group"] == "a"


async def test_a_proxy_is_used_only_if_the_kubeconfig_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    async with plain() as (server, cluster):
        await asked(tmp_path, cluster, {})
        behind = {"server": "http://spoke.invalid", "proxy-url": server.url}
        assert (await asked(tmp_path, behind, {})).kubernetes == "v1.34.4"
        assert server.requests[-1].headers["host"] == "spoke.invalid"


@pytest.mark.parametrize(
    ("cluster", "user", "message"),
    [
        ({"server": "spoke:6443"}, {}, "server: expected an address"),
        ({"server": "https://u:s3cret@h:port"}, {}, "server: expected an address"),
        ({"proxy-url": "socks5://p"}, {}, "proxy-url: expected an address"),
        (
            {"certificate-authority-data": "s3cret!"},
            {},
            "authority-data: expected base64",
        ),
        ({"certificate-authority-data": b64(b"s3cret")}, {}, "authority is not valid PEM"),
        ({"certificate-authority-data": b64(b"\xff")}, {}, "authority is not valid PEM"),
        ({"certificate-authority": "nowhere.pem"}, {}, "nowhere.pem: No such file"),
        ({}, {"client-certificate-data": b64(b"s3cret")}, "both a client certificate and its key"),
        (
            {},
            {"client-certificate-data": b64(b"s3cret"), "client-key-data": b64(b"s3cret")},
            "not a valid PEM pair",
        ),
        ({}, {"token": "s3cret s3cret"}, "expected a token"),
        ({}, {"auth-provider": {"name": "gcp"}}, "auth-provider is not supported"),
    ],
    ids=[
        "address",
        "port",
        "proxy",
        "base64",
        "ca",
        "ca-bytes",
        "ca-file",
        "no-key",
        "pair",
        "token",
        "provider",
    ],
)
async def test_what_is_wrong_is_said_with_its_place_and_without_its_value(
    tmp_path: Path, cluster: dict[str, Any], user: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        await opened(tmp_path, {"server": "https://127.0.0.1:1"} | cluster, user)
    assert f"{tmp_path / 'config'}: context 'east': " in str(caught.value)
    assert "s3cret" not in str(caught.value)


async def test_an_encrypted_key_is_not_asked_about(
    tmp_path: Path, certificates: Certificates
) -> None:
    (tmp_path / "client.key").write_bytes(certificates.client_key)
    encrypt = ["openssl", "ec", "-aes256", "-passout", "pass:x", "-in", "client.key"]
    key = (await anyio.run_process(encrypt, cwd=tmp_path)).stdout
    user = {
        "client-certificate-data": b64(certificates.client_cert),
        "client-key-data": b64(key),
    }
    with pytest.raises(ConfigError, match="encrypted"):
        await opened(tmp_path, {"server": "https://127.0.0.1:1"}, user)


async def test_a_missing_token_file_is_found_when_it_is_needed(tmp_path: Path) -> None:
    async with plain() as (_, cluster):
        with pytest.raises(UnauthenticatedError, match=r"tokenFile .* No such file"):
            await asked(tmp_path, cluster, {"tokenFile": "token"})
