"""`scripts/prepare-release` and `scripts/release`; see CONTRIBUTING.md."""

import argparse
import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from conformance.suite import Suites
from release import artifacts, notes
from release.artifacts import ROOT
from release.notes import Change, NotReadyError

CHANGELOG = ROOT / "CHANGELOG.md"
OF_SCHEMA = ROOT / "CHANGELOG-schema.md"
UPGRADE = ROOT / "docs" / "upgrade.md"
SDL = ROOT / "schema" / "schema.graphql"
RELEASED = ROOT / "schema" / "released.graphql"
DIST = ROOT / "dist"


def prepare(version: str) -> None:
    """Writes what a release says of itself. Raises `NotReadyError`, and then writes nothing."""
    day = datetime.now(UTC).date().isoformat()
    section = notes.schema_section(version, day, _changes())
    texts = {
        CHANGELOG: notes.released(CHANGELOG.read_text("utf-8"), version, day),
        UPGRADE: notes.noted(UPGRADE.read_text("utf-8"), version),
        OF_SCHEMA: notes.with_section(OF_SCHEMA.read_text("utf-8"), version, section),
        RELEASED: SDL.read_text("utf-8"),
    }
    for path, text in texts.items():
        path.write_text(text, "utf-8")
    say(f"prepared {version}: look at `git diff`, commit, and tag the commit v{version}")


def _changes() -> list[Change]:
    with tempfile.TemporaryDirectory() as folder:
        found: list[Change] = Suites(Path(folder)).ask("diff.mjs", RELEASED, SDL)
    return found


def release() -> None:
    """Makes the files of the release that HEAD is tagged as. Raises `NotReadyError`."""
    version = _tagged()
    for path in (CHANGELOG, OF_SCHEMA):
        notes.section(path.read_text("utf-8"), version)
    if RELEASED.read_bytes() != SDL.read_bytes():
        raise NotReadyError(f"schema/released.graphql is not the schema of {version}")
    shutil.rmtree(DIST, ignore_errors=True)
    made(DIST)
    said = notes.section(CHANGELOG.read_text("utf-8"), version)
    (DIST / "notes.md").write_text(said + "\n", "utf-8")


def _tagged() -> str:
    if _git("status", "--porcelain"):
        raise NotReadyError("the tree is not as it was committed: commit or undo what has changed")
    tags = _git("tag", "--points-at", "HEAD", "--list", "v[0-9]*").split()
    if len(tags) != 1:
        raise NotReadyError(f"expected one tag such as v1.2.3 on HEAD; there is {tags or 'none'}")
    return tags[0].removeprefix("v")


def made(folder: Path, *, cache: Path | None = None) -> None:
    """Makes, describes and tries the files of whatever the tree is."""
    sdist, wheel = artifacts.build(folder)
    version = artifacts.version_of(wheel)
    artifacts.describe(folder, version)
    artifacts.add_up(folder)
    if (said := artifacts.try_out(wheel, cache=cache)) != version:
        raise NotReadyError(f"{wheel.name} says that it is {said}")
    say(f"made {version} in {folder}: {sdist.name}, {wheel.name}, two bills and SHA256SUMS")


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=ROOT, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def say(text: str) -> None:
    """Tells the person who releases."""
    print(text, file=sys.stderr)  # noqa: T201


def main() -> int:
    """Runs a command; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m release", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("prepare").add_argument("version")
    commands.add_parser("build")
    given = parser.parse_args()
    try:
        if given.command == "prepare":
            prepare(given.version)
        else:
            release()
    except NotReadyError as error:
        say(f"not released: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
