"""Tokens, passwords and plugins: fresh when used, never in a message."""

import base64
import json
import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import pytest

from rollgraph.adapters.kubernetes import execplugin
from rollgraph.adapters.kubernetes.credentials import FixedCredentials, TokenFile, basic, bearer
from rollgraph.adapters.kubernetes.execplugin import (
    EnvVar,
    ExecConfig,
    ExecCredentials,
    ExecPlugin,
    ExecStatus,
)
from rollgraph.core.errors import ConfigError, UnauthenticatedError

pytestmark = pytest.mark.looptime(False)  # real processes

V1 = "client.authentication.k8s.io/v1"


async def test_fixed_headers() -> None:
    assert await FixedCredentials(bearer(" t0ken\n")).headers() == (
        ("Authorization", "Bearer t0ken"),
    )
    pair = base64.b64encode(b"admin:pa:ss").decode()
    assert basic("admin", "pa:ss") == (("Authorization", f"Basic {pair}"),)


@pytest.mark.parametrize("token", ["", "  \n", "two\nlines", "two words", "t\u00f6ken", "nul\0"])
def test_a_token_that_is_none_is_refused_without_repeating_it(token: str) -> None:
    with pytest.raises(ConfigError) as caught:
        bearer(token)
    assert not token.strip() or token not in str(caught.value)


async def test_a_token_file_is_read_again_when_it_is_another(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("first\n")
    credentials = TokenFile(path)
    assert await credentials.headers() == (("Authorization", "Bearer first"),)
    # As a kubelet does it: another file under the same name.
    (tmp_path / "new").write_text("second")
    (tmp_path / "new").replace(path)
    assert await credentials.headers() == (("Authorization", "Bearer second"),)


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe"], ids=["missing", "empty", "binary"])
async def test_a_token_file_without_a_token_says_so(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "token"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UnauthenticatedError, match=f"tokenFile {path}: "):
        await TokenFile(path).headers()


def script(folder: Path, text: str) -> str:
    """An executable."""
    path = folder / "plugin"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def answering(folder: Path, **status: str) -> str:
    """An executable that gives credentials, and counts how often it did."""
    answer = json.dumps({"apiVersion": V1, "kind": "ExecCredential", "status": status})
    return script(folder, f"echo x >> {folder}/runs\ncat <<'EOF'\n{answer}\nEOF")


def plugin(command: str, **more: Any) -> ExecPlugin:
    return ExecPlugin(ExecConfig(command, V1, **more), allowed=[command])


async def test_a_plugin_gives_a_token(tmp_path: Path) -> None:
    command = answering(tmp_path, token="t0ken")
    status = await plugin(command).run()
    assert status.token == "t0ken"
    credentials = ExecCredentials(plugin(command), status)
    assert await credentials.headers() == (("Authorization", "Bearer t0ken"),)
    assert (tmp_path / "runs").read_text() == "x\n"


async def test_a_token_that_ends_is_fetched_anew_once_for_all(tmp_path: Path) -> None:
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    command = answering(tmp_path, token="new", expirationTimestamp=later)
    soon = datetime.now(UTC) + timedelta(seconds=5)
    credentials = ExecCredentials(plugin(command), ExecStatus("old", expiration_timestamp=soon))
    async with anyio.create_task_group() as tasks:
        for _ in range(10):
            tasks.start_soon(credentials.headers)
    assert await credentials.headers() == (("Authorization", "Bearer new"),)
    assert (tmp_path / "runs").read_text() == "x\n"


async def test_a_certificate_that_ends_needs_a_new_connection(tmp_path: Path) -> None:
    soon = datetime.now() + timedelta(seconds=5)  # noqa: DTZ005 - some plugins forget the zone
    ended = ExecStatus(client_certificate_data="PEM", expiration_timestamp=soon)
    with pytest.raises(UnauthenticatedError, match="certificate has expired"):
        await ExecCredentials(plugin(answering(tmp_path, token="x")), ended).headers()
    valid = ExecStatus(client_certificate_data="PEM")
    assert await ExecCredentials(plugin(answering(tmp_path, token="x")), valid).headers() == ()


async def test_a_plugin_is_told_what_it_may_know(tmp_path: Path) -> None:
    command = script(tmp_path, f'echo "$KUBERNETES_EXEC_INFO $STAGE $1" > {tmp_path}/told; exit 3')
    config = ExecConfig(command, V1, ["login"], [EnvVar("STAGE", "test")], "Never", True)
    told = ExecPlugin(config, allowed=[command], cluster={"server": "https://east"})
    with pytest.raises(UnauthenticatedError, match="exited with 3"):
        await told.run()
    info, stage, argument = (tmp_path / "told").read_text().rsplit(maxsplit=2)
    assert (stage, argument) == ("test", "login")
    assert json.loads(info)["spec"] == {"interactive": False, "cluster": {"server": "https://east"}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("echo s3cret; echo s3cret >&2; exit 1", "exited with 1"),
        ("echo s3cret", "did not answer with an ExecCredential"),
        (f'echo \'{{"apiVersion": "{V1}", "status": {{}}}}\'', "neither a token nor"),
    ],
    ids=["fails", "nonsense", "empty"],
)
async def test_a_plugin_that_fails_is_named_and_not_quoted(
    tmp_path: Path, text: str, message: str
) -> None:
    with pytest.raises(UnauthenticatedError, match=message) as caught:
        await plugin(script(tmp_path, text)).run()
    assert "s3cret" not in str(caught.value)


async def test_a_plugin_has_a_time_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(execplugin, "RUN_WITHIN", 0.05)
    with pytest.raises(UnauthenticatedError, match="no credentials within"):
        await plugin(script(tmp_path, "exec sleep 60")).run()


async def test_a_plugin_whose_token_is_none_is_named(tmp_path: Path) -> None:
    credentials = ExecCredentials(plugin(answering(tmp_path, token="x")), ExecStatus("a b"))
    with pytest.raises(UnauthenticatedError, match="plugin's token"):
        await credentials.headers()


async def test_a_plugin_that_cannot_be_started_says_so(tmp_path: Path) -> None:
    path = tmp_path / "plugin"
    path.write_bytes(b"\x7fELF nonsense")
    path.chmod(0o700)
    with pytest.raises(UnauthenticatedError, match="could not be started"):
        await plugin(str(path)).run()


def test_only_allowed_programs_are_run(tmp_path: Path) -> None:
    command = answering(tmp_path, token="x")
    with pytest.raises(ConfigError, match="may not be run: add it to the allowed commands"):
        ExecPlugin(ExecConfig(command, V1), allowed=["aws", "plugin"])
    # A relative path counts from the kubeconfig's folder, and is allowed by its whole path.
    ExecPlugin(ExecConfig("./plugin", V1), allowed=[str(tmp_path / "plugin")], folder=tmp_path)
    ExecPlugin(ExecConfig("sh", V1), allowed=["sh"])
    with pytest.raises(ConfigError, match="not installed here"):
        ExecPlugin(ExecConfig("no-such-program", V1), allowed=["no-such-program"])


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (ExecConfig("sh", "client.authentication.k8s.io/v1alpha1"), "exec.apiVersion"),
        (ExecConfig("sh", V1, interactive_mode="Always"), "needs no terminal"),
        (ExecConfig("sh", V1, env=[EnvVar("LD_PRELOAD", "x.so")]), "LD_PRELOAD"),
        (ExecConfig("sh", V1, env=[EnvVar("PATH", "/tmp")]), "PATH"),
    ],
    ids=["version", "terminal", "preload", "path"],
)
def test_what_a_plugin_may_not_ask_for(config: ExecConfig, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        ExecPlugin(config, allowed=["sh"])
    assert os.environ.get("LD_PRELOAD") is None
