"""Folders for running fleets: one per fleet, gone when it ends, swept when its owner died."""

import contextlib
import fcntl
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from testbed.errors import TestbedError

PREFIX = "rollgraph-testbed-"
NAME = re.compile(re.escape(PREFIX) + r"(\d+)(?:-\d+)?")
LOCK = "lock"
MOST_PER_PROCESS = 100


class Workdir:
    """``${TMPDIR:-/tmp}/rollgraph-testbed-PID``, readable by its owner only: it holds tokens."""

    def __init__(self) -> None:
        sweep()
        self.path = _create()
        self._lock: TextIO = (self.path / LOCK).open("w")
        fcntl.flock(self._lock, fcntl.LOCK_EX)

    def close(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.path, ignore_errors=True)
        self._lock.close()


def sweep() -> list[Path]:
    """Remove the folders whose owner is dead, and return them."""
    stale = [p for p, owner in _found() if not _alive(owner) and not _locked(p)]
    for path in stale:
        shutil.rmtree(path, ignore_errors=True)
    return stale


def running() -> list[tuple[Path, int]]:
    """The folders of living fleets, each with its owner's pid."""
    return [(p, owner) for p, owner in _found() if _locked(p)]


def _create() -> Path:
    for n in range(1, MOST_PER_PROCESS + 1):
        suffix = "" if n == 1 else f"-{n}"
        path = Path(tempfile.gettempdir()) / f"{PREFIX}{os.getpid()}{suffix}"
        with contextlib.suppress(FileExistsError):
            path.mkdir(mode=0o700)
            return path
    raise TestbedError(
        f"{PREFIX}{os.getpid()} and {MOST_PER_PROCESS - 1} more exist in {path.parent}: "
        "close fleets that are no longer used, or remove folders that are left over"
    )


def _found() -> Iterator[tuple[Path, int]]:
    for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        if (match := NAME.fullmatch(path.name)) and path.is_dir():
            yield path, int(match[1])


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _locked(path: Path) -> bool:
    # Besides the pid: a process of another container that shares this folder looks dead from here.
    try:
        with (path / LOCK).open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
