"""What is built is named by all that goes into it, and built once."""

import shutil
from pathlib import Path

import pytest

from testbed import build, parts
from testbed.errors import BuildError, ToolchainError
from testbed.parts import EVERYTHING, KUBERNETES, PARTS, ROLLOUTS, Part, Program
from testbed.toolchain import find_go, parse_version


def go_script(folder: Path, version: str, status: int = 0) -> Path:
    """A `go` that says its version, and else ends with this status."""
    folder.mkdir()
    go = folder / "go"
    go.write_text(
        f'#!/bin/sh\ncase "$1" in env) echo {version};; *) echo "no space"; exit {status};; esac\n'
    )
    go.chmod(0o755)
    return go


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the Go modules that a test may edit."""
    folder = tmp_path / "go"
    shutil.copytree(parts.GO_DIR, folder)
    monkeypatch.setattr(parts, "GO_DIR", folder)
    return folder


def test_versions_are_those_of_go_mod() -> None:
    versions = {p.name: p.version for p in EVERYTHING}

    assert (
        versions.items()
        >= {
            "etcd": "v3.6.16",
            "kubernetes": "v1.34.4",
            "rollouts": "v1.10.1",
            "kwok": "v0.8.0",
            "helm": "v3.22.0",
            "gateway-api": "v1.4.0",
        }.items()
    )
    assert "gitVersion=v1.34.4" in KUBERNETES.ldflags
    assert ROLLOUTS.go_version >= (1, 26, 0)


@pytest.mark.parametrize("name", ["go.mod", "go.sum"])
def test_the_key_follows_both_files_of_its_own_module(copied: Path, name: str) -> None:
    before = {part.name: part.key for part in PARTS}
    with (copied / "kubernetes" / name).open("a") as file:
        file.write("\n")

    after = {part.name: part.key for part in PARTS}

    assert {n for n in before if before[n] != after[n]} == {"kubernetes"}


def test_the_key_follows_the_recipe() -> None:
    other = Part(
        ROLLOUTS.name, ROLLOUTS.module, ROLLOUTS.programs, {"main.v": "1"}, ROLLOUTS.assets
    )

    assert other.key != ROLLOUTS.key


def test_nothing_is_built_when_all_is_in_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(build.CACHE_VARIABLE, str(tmp_path))
    monkeypatch.setenv("PATH", "")  # no go, no build
    for part in PARTS:
        (tmp_path / part.key).mkdir()

    built = build.ensure_built()

    assert build.left_over() == []
    assert built.program("kubectl") == tmp_path / KUBERNETES.key / "bin" / "kubectl"


def test_a_failed_build_says_what_where_and_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    go_script(tmp_path / "bin", "go1.99.0", status=2)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/bin")
    monkeypatch.setenv(build.CACHE_VARIABLE, str(tmp_path / "cache"))
    part = Part("etcd", "go.etcd.io/etcd/server/v3", (Program("etcd", "example/etcd", 1),))

    with pytest.raises(BuildError) as failed:
        build.ensure_built([part])

    message = str(failed.value)
    assert "etcd v3.6.16 did not build" in message
    assert str(part.folder) in message
    assert "no space" in message
    assert "scripts/testbed build" in message
    assert build.missing([part]) == [part]
    assert "failed in" in capsys.readouterr().err


def test_the_first_go_on_the_path_that_is_new_enough_serves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = []
    for name, version in (("old", "go1.25.9"), ("new", "go1.26.8"), ("newer", "go1.30.0")):
        go_script(tmp_path / name, version)
        folders.append(str(tmp_path / name))
    monkeypatch.setenv("PATH", ":".join(folders))

    assert find_go((1, 26, 1)) == tmp_path / "new" / "go"


def test_no_go_that_is_new_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    go = go_script(tmp_path / "old", "go1.2.2")
    monkeypatch.setenv("PATH", str(go.parent))

    with pytest.raises(ToolchainError, match=r"go is 1\.2\.2") as failed:
        find_go((99, 0, 0))

    assert "Run through uv" in str(failed.value)


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("go1.26.8", (1, 26, 8)),
        ("1.26", (1, 26, 0)),
        ("go1.27rc1", (1, 27, 0)),
        ("devel", None),
    ],
)
def test_versions_of_go(text: str, version: tuple[int, ...] | None) -> None:
    assert parse_version(text) == version
