"""Folders of dead owners are swept; those of living ones stay."""

import subprocess
import sys
from pathlib import Path

import pytest

from testbed import workdir
from testbed.workdir import Workdir, running, sweep


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def dead_pid() -> int:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def test_a_folder_is_private_listed_and_removed() -> None:
    own = Workdir()

    assert own.path.stat().st_mode & 0o777 == 0o700
    assert [path for path, _ in running()] == [own.path]
    own.close()
    assert not own.path.exists()
    assert running() == []


def test_two_fleets_of_one_process_have_a_folder_each() -> None:
    first, second = Workdir(), Workdir()

    assert first.path != second.path
    first.close()
    second.close()


def test_only_folders_of_the_dead_are_swept(temporary: Path) -> None:
    stale = temporary / f"{workdir.PREFIX}{dead_pid()}"
    stale.mkdir()
    foreign = temporary / f"{workdir.PREFIX}notes"
    foreign.mkdir()
    own = Workdir()  # sweeps

    assert not stale.exists()
    assert foreign.exists()
    assert own.path.exists()
    assert sweep() == []
    own.close()
