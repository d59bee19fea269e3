"""Credentials from a program that the kubeconfig names, for clouds without fixed tokens.

A kubeconfig may name any program, so only what the operator allows is ever run.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
import msgspec

from rollgraph.adapters.kubernetes.credentials import Headers, bearer
from rollgraph.core.errors import ConfigError, UnauthenticatedError

# Seconds. A token over the network takes one or two; a program that asks a question takes for ever.
RUN_WITHIN = 30.0
# A token that ends so soon might end before the request arrives.
RENEW_BEFORE = 10.0
VERSIONS = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")
# With one of these a kubeconfig could turn an allowed program into another one.
_FORBIDDEN_ENV = ("LD_", "DYLD_", "PATH")


class EnvVar(msgspec.Struct, frozen=True):
    """One variable for the program."""

    name: str
    value: str

    def __repr__(self) -> str:
        return f"EnvVar({self.name!r}, ...)"


class ExecConfig(msgspec.Struct, frozen=True, rename="camel"):
    """How a kubeconfig describes the program."""

    command: str
    api_version: str = ""
    args: list[str] | None = None
    env: list[EnvVar] | None = None
    interactive_mode: str = ""
    provide_cluster_info: bool = False

    def __repr__(self) -> str:
        return f"ExecConfig({self.command!r}, ...)"


class ExecStatus(msgspec.Struct, frozen=True, rename="camel"):
    """What the program answered."""

    token: str = ""
    client_certificate_data: str = ""
    client_key_data: str = ""
    expiration_timestamp: datetime | None = None

    def __repr__(self) -> str:
        return "ExecStatus(...)"


class _ExecCredential(msgspec.Struct, frozen=True, rename="camel"):
    api_version: str
    status: ExecStatus


class ExecPlugin:
    """A program that gives credentials.

    Args:
        config: Which program.
        allowed: The commands that may be run: a bare name as the kubeconfig has it, which is then
            looked up in our PATH, or an absolute path.
        cluster: What the program is told of the cluster, if it asks to be.
        folder: The kubeconfig's, from which a relative path counts.

    Raises `ConfigError` if the program may not be run.
    """

    def __init__(
        self,
        config: ExecConfig,
        *,
        allowed: Collection[str],
        cluster: dict[str, Any] | None = None,
        folder: Path = Path(),
    ) -> None:
        _check(config)
        self._name = config.command
        self._argv = [_program(config.command, allowed, folder), *(config.args or ())]
        spec: dict[str, Any] = {"interactive": False}
        if config.provide_cluster_info and cluster is not None:
            spec["cluster"] = cluster
        info = {"apiVersion": config.api_version, "kind": "ExecCredential", "spec": spec}
        self._env = {
            **os.environ,
            **{var.name: var.value for var in config.env or ()},
            "KUBERNETES_EXEC_INFO": json.dumps(info),
        }

    async def run(self) -> ExecStatus:
        """Runs it. `UnauthenticatedError` for whatever it does wrong.

        Neither its output nor its complaints are passed on: both may hold secrets.
        """
        try:
            with anyio.fail_after(RUN_WITHIN):
                done = await anyio.run_process(
                    self._argv, stdin=subprocess.DEVNULL, env=self._env, check=False
                )
        except TimeoutError:
            raise self._failed(f"gave no credentials within {RUN_WITHIN:.0f} s") from None
        except OSError as error:
            raise self._failed(f"could not be started: {error.strerror}") from None
        if done.returncode != 0:
            raise self._failed(f"exited with {done.returncode}; run it by hand to see why")
        try:
            answer = msgspec.json.decode(done.stdout, type=_ExecCredential)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise self._failed("did not answer with an ExecCredential") from None
        if not answer.status.token and not answer.status.client_certificate_data:
            raise self._failed("answered with neither a token nor a certificate")
        return answer.status

    def _failed(self, what: str) -> UnauthenticatedError:
        return UnauthenticatedError(f"the credential plugin {self._name!r} {what}")


class ExecCredentials:
    """The token of a plugin, fetched anew before it ends.

    A certificate cannot be changed on an open connection: when it ends, or when the server refuses
    the token, a new connection has to be opened, which runs the plugin again.
    """

    def __init__(self, plugin: ExecPlugin, first: ExecStatus) -> None:
        self._plugin = plugin
        self._lock = anyio.Lock()
        self._status = first

    async def headers(self) -> Headers:
        """The token's header; one run for all who ask at the same time."""
        if _ending(self._status):
            async with self._lock:
                if _ending(self._status):
                    self._status = await self._renewed()
        try:
            return bearer(self._status.token) if self._status.token else ()
        except ConfigError as error:
            raise UnauthenticatedError(f"the credential plugin's token: {error}") from None

    async def _renewed(self) -> ExecStatus:
        if self._status.client_certificate_data:
            raise UnauthenticatedError("the credential plugin's certificate has expired")
        return await self._plugin.run()


def _ending(status: ExecStatus) -> bool:
    end = status.expiration_timestamp
    if end is None:
        return False
    end = end if end.tzinfo is not None else end.replace(tzinfo=UTC)
    return (end - datetime.now(UTC)).total_seconds() < RENEW_BEFORE


def _check(config: ExecConfig) -> None:
    if config.api_version not in VERSIONS:
        raise ConfigError(
            f"exec.apiVersion is {config.api_version!r}: expected one of {', '.join(VERSIONS)}"
        )
    if config.interactive_mode == "Always":
        raise ConfigError(
            "exec.interactiveMode is Always: expected a plugin that needs no terminal"
        )
    for var in config.env or ():
        if var.name.upper().startswith(_FORBIDDEN_ENV):
            raise ConfigError(f"exec.env sets {var.name}, which could replace the program")


def _program(command: str, allowed: Collection[str], folder: Path) -> str:
    """The path of an allowed program."""
    given = str(folder / command) if os.sep in command else command
    if given not in allowed:
        raise ConfigError(
            f"exec.command {given!r} may not be run: add it to the allowed commands if you trust"
            " it, or give this user a token"
        )
    found = shutil.which(given)
    if found is None:
        raise ConfigError(f"exec.command {given!r} is not installed here")
    return found
