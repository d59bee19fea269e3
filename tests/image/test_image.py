"""The image is small, closed, and says when it is well: its commands, run without a container."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from image.dockerfile import ROOT, Stage, stages
from image.outside import NOBODY, Places, as_nobody
from testbed.deadline import wait_until
from testbed.ports import free_port

pytestmark = [pytest.mark.looptime(False), pytest.mark.timeout(600)]

KUBECONFIG = '{"apiVersion": "v1", "kind": "Config", "clusters": [], "users": [], "contexts": []}'


def test_hadolint_finds_nothing() -> None:
    done = subprocess.run(
        ["hadolint", "Dockerfile"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.stdout + done.stderr == ""


def test_nothing_but_debians_packages_is_not_run_here() -> None:
    skipped = [command for stage in stages() for command in stage.runs if "apt-get" in command]
    assert len(skipped) == 2
    for command in skipped:
        assert command.startswith(
            "apt-get update  && apt-get install --yes --no-install-recommends"
        )
    assert not any(word in " ".join(skipped) for word in ("pip", "gcc", "build-essential", "curl"))


def test_it_runs_as_a_number_that_is_not_root(last_stage: Stage) -> None:
    assert last_stage.last["USER"] == f"{NOBODY}:{NOBODY}"


def test_the_version_is_the_one_that_was_given(installed: Path, last_stage: Stage) -> None:
    said = subprocess.run(
        [*as_nobody(), *words(installed, last_stage, "ENTRYPOINT"), "--version"],
        env=env(installed, last_stage),
        cwd="/",
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout == "rollgraph 1.2.3\n"


def test_it_has_graphiql_and_neither_pip_nor_uv(installed: Path) -> None:
    assert list(installed.glob("lib/*/site-packages/rollgraph/server/static/graphiql/index.html"))
    names = {path.name for path in installed.glob("bin/*")}
    assert {"python", "rollgraph"} <= names
    assert not {"pip", "pip3", "uv"} & names
    assert not list(installed.glob("lib/*/site-packages/pip"))


def test_every_module_is_compiled(installed: Path) -> None:
    """Bytecode that is not there would be made at each start, for it cannot be written."""
    package = next(installed.glob("lib/*/site-packages/rollgraph"))
    sources = {path.stem for path in package.rglob("*.py")}
    compiled = {path.name.partition(".")[0] for path in package.rglob("__pycache__/*.pyc")}
    assert sources == compiled


def test_it_serves_says_so_and_ends_when_it_is_told_to(
    installed: Path, last_stage: Stage, tmp_path_factory: pytest.TempPathFactory
) -> None:
    config = installed.parent / "tmp" / "empty.yaml"
    config.write_text(KUBECONFIG, "utf-8")
    with serving(installed, last_stage, config) as (process, settings):
        check = [*as_nobody(), *words(installed, last_stage, "HEALTHCHECK")]

        def ill() -> str | None:
            assert process.poll() is None, "it has ended"
            done = subprocess.run(check, env=settings, cwd="/", capture_output=True, check=False)
            return None if done.returncode == 0 else done.stderr.decode()

        wait_until(ill, seconds=60, what="HEALTHCHECK passes")
        process.send_signal(getattr(signal, last_stage.last["STOPSIGNAL"]))
        assert process.wait(timeout=20) == 0
        assert subprocess.run(check, env=settings, cwd="/", check=False).returncode != 0
    assert traces() == []


@contextmanager
def serving(
    installed: Path, stage: Stage, config: Path
) -> Iterator[tuple["subprocess.Popen[bytes]", dict[str, str]]]:
    """What the image starts when nothing else is said, and its environment."""
    settings = env(installed, stage) | {
        "ROLLGRAPH_HTTP__PORT": str(free_port()),
        "ROLLGRAPH_SPOKES__KUBECONFIG": str(config),
    }
    argv = [*words(installed, stage, "ENTRYPOINT"), *stage.words("CMD")]
    with subprocess.Popen([*as_nobody(), *argv], env=settings, cwd="/") as process:
        try:
            yield process, settings
        finally:
            process.kill()


def words(installed: Path, stage: Stage, instruction: str) -> list[str]:
    """The words of an instruction; what PATH would find, where it is here."""
    program, *arguments = stage.words(instruction)
    return [str(installed / "bin" / program), *arguments]


def env(installed: Path, stage: Stage) -> dict[str, str]:
    """The environment in the image, and nothing of this machine's."""
    places = Places({"/opt/rollgraph": installed})
    return {name: places.of(value) for name, value in stage.env.items()}


def traces() -> list[str]:
    """What nobody has left where anybody may write."""
    if os.geteuid() != 0:
        return []
    where = ["find", "/tmp", "/var/tmp", "/dev/shm", "-maxdepth", "1", "-uid", str(NOBODY)]
    # Its status tells also of what others have removed meanwhile.
    return subprocess.run(where, capture_output=True, text=True, check=False).stdout.splitlines()
