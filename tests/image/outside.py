"""What runs in containers, run without: the same words, with the places of this machine in them."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from image.dockerfile import ROOT, Stage, context

# Whoever runs in the image. Nothing here is theirs, nor may be written by them.
NOBODY = 65532
# Debian's Python, as in the image; else the one that runs the tests.
PYTHONS = (Path("/usr/bin/python3"), Path(sys.executable))


class Places:
    """Names of a container, and what they are called here.

    Each occurrence is replaced once: what comes in is not looked at again.
    """

    def __init__(self, names: Mapping[str, str | Path]) -> None:
        self._names = {name: str(here) for name, here in names.items()}
        longest = sorted(self._names, key=len, reverse=True)
        self._any = re.compile("|".join(map(re.escape, longest)))

    def of(self, text: str) -> str:
        """The text with the names of here."""
        return self._any.sub(lambda found: self._names[found[0]], text)

    def words(self, words: Sequence[str]) -> list[str]:
        """Each word with the names of here."""
        return [self.of(word) for word in words]


def may_run(python: Path) -> bool:
    """Whether it is new enough, and can be run by whoever is nobody here."""
    new = "import sys; sys.exit(sys.version_info < (3, 11))"
    done = subprocess.run(
        [*as_nobody(), python, "-I", "-c", new], capture_output=True, cwd="/", check=False
    )
    return done.returncode == 0


def as_nobody() -> list[str]:
    """What to put before a command so that it may write nothing; root alone has to."""
    if os.geteuid() != 0:
        return []
    return ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]


@contextmanager
def installed(build: Stage) -> Iterator[Path]:
    """Runs what the build stage runs, but for Debian's packages; where /opt/rollgraph is then."""
    # pytest's own folders are closed to others.
    with tempfile.TemporaryDirectory(prefix="rollgraph-image-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "tmp").mkdir()
        opt = folder / "rollgraph"
        python = next(each for each in PYTHONS if may_run(each))
        places = Places(
            {"/opt/rollgraph": opt, "/tmp/": f"{folder}/tmp/", "/usr/bin/python3": python}
        )
        _copy(folder / "src")
        # UV_NO_CACHE: what was downloaded for the tests themselves serves here as well.
        env = os.environ | build.env | {"UV_NO_CACHE": "0", "VERSION": "1.2.3"}
        env.pop("VIRTUAL_ENV", None)
        for command in build.runs:
            if "apt-get" not in command:
                _run(places.of(command), folder / "src", env)
        yield opt


def _copy(folder: Path) -> None:
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z", *context()]
    found = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, found.split("\0")):
        if (ROOT / name).exists():  # or it is deleted, and not committed yet
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)


def _run(command: str, folder: Path, env: Mapping[str, str]) -> None:
    done = subprocess.run(
        ["sh", "-c", command], cwd=folder, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
