"""Builds the site of the documents: `scripts/docs` does, and a test looks at it."""

import shutil
import subprocess
import sys
from pathlib import Path

from documents.staged import ROOT, stage


def build(folder: Path) -> Path:
    """The site's root, below a folder that is emptied first.

    Raises:
        CalledProcessError: zensical found something wrong, or warns of it; it has said what.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    stage(folder)
    argv = [sys.executable, "-m", "zensical", "build", "--clean", "--strict"]
    subprocess.run(argv, cwd=folder, check=True, timeout=300)
    return folder / "site"


if __name__ == "__main__":
    build(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build" / "docs")
