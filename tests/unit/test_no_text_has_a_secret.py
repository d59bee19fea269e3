"""Nothing that holds a secret becomes a text that has it: not in a log, an error or a traceback."""

import dataclasses
import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

import rollgraph
from rollgraph.access.caller import Caller
from rollgraph.access.everything import Everything
from rollgraph.adapters.kubernetes.kubeconfig import Entry, entries, read_kubeconfig
from rollgraph.adapters.kubernetes.source import KubeconfigSource
from rollgraph.core.errors import ConfigError

SECRET = "canary-5f2e9c71b4"
SOUNDS_SECRET = re.compile(
    r"token|password|secret|key_data|csrf|verifier|nonce|state|device_code|bearer|\benv\b|cookie"
)
# Fields that sound so and are not, or whose value is told on purpose.
OPEN = {
    # Of a bulk: good for one viewer, one action and a few minutes, and told to them alone.
    "BulkOutcome.token",
    "BulkRolloutActionInput.token",
    "BulkRolloutActionPayload.token",
    "Matching.token",
    # Which of a provider's tokens is sent.
    "CommandLine.token",
    "_Told.token",
    # Addresses, paths and names.
    "Provider.token_endpoint",
    "Registration.secret",
    # Where a step of a canary stands; that of a login is a secret.
    "Step.state",
}
KUBECONFIG = f"""
apiVersion: v1
kind: Config
clusters:
- name: c
  cluster: {{server: "https://{SECRET}@127.0.0.1:1", proxy-url: "http://u:{SECRET}@127.0.0.1:2"}}
users:
- name: u
  user:
    token: {SECRET}
    username: u
    password: {SECRET}
    client-key-data: {SECRET}
    exec: {{command: get-token, args: [{SECRET}], env: [{{name: A, value: {SECRET}}}]}}
contexts:
- name: here
  context: {{cluster: c, user: u}}
"""


def classes() -> Iterator[type]:
    """Every class of ours that prints its fields unless it says otherwise."""
    for found in pkgutil.walk_packages(rollgraph.__path__, "rollgraph."):
        if found.name.endswith("__main__"):
            continue
        module = importlib.import_module(found.name)
        for value in vars(module).values():
            if isinstance(value, type) and value.__module__ == found.name:
                yield value


def told_fields(cls: type) -> Iterator[str]:
    """The fields that the text of an object has."""
    if issubclass(cls, msgspec.Struct):
        if cls.__repr__ is msgspec.Struct.__repr__:
            yield from cls.__struct_fields__
    elif dataclasses.is_dataclass(cls):
        yield from (field.name for field in dataclasses.fields(cls) if field.repr)


def test_whoever_holds_a_secret_keeps_it_out_of_their_text() -> None:
    telling = {
        f"{cls.__name__}.{name}"
        for cls in classes()
        for name in told_fields(cls)
        if SOUNDS_SECRET.search(name) and _is_text(cls, name)
    }
    assert telling == OPEN


def _is_text(cls: type, name: str) -> bool:
    annotation = str(_annotations(cls).get(name, ""))
    return "str" in annotation or "bytes" in annotation


def _annotations(cls: type) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for base in reversed(cls.__mro__):
        found |= vars(base).get("__annotations__", {})
    return found


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Path:
    path = tmp_path / "kubeconfig"
    path.write_text(KUBECONFIG, "utf-8")
    return path


def entry(path: Path) -> Entry:
    (found,) = entries({path: read_kubeconfig(path)})
    return found


async def test_no_text_of_a_kubeconfig_or_its_spokes_has_its_secrets(kubeconfig: Path) -> None:
    assert SECRET not in repr(read_kubeconfig(kubeconfig))
    assert SECRET not in repr(entry(kubeconfig))
    async with KubeconfigSource(kubeconfig).watch() as answers:
        async for spokes in answers:
            assert SECRET not in repr(spokes)
            with pytest.raises(ConfigError) as caught:
                await spokes[0].open()
            assert SECRET not in str(caught.value)
            break


@pytest.mark.parametrize(
    "spoilt",
    [
        f"users: [{{name: u, user: {{token: [{SECRET}]}}}}]",
        f"users: [{{name: u, user: {{token: {SECRET}",
        f"users: {SECRET}",
        f"{SECRET}: [",
        f'token: "{SECRET}\\x"',
    ],
)
def test_a_broken_kubeconfig_is_told_without_its_content(tmp_path: Path, spoilt: str) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text(spoilt, "utf-8")
    with pytest.raises(ConfigError) as caught:
        read_kubeconfig(path)
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None or SECRET not in repr(caught.value.__cause__)


def test_a_callers_token_is_not_in_their_text() -> None:
    assert SECRET not in repr(Caller(Everything(), SECRET))
