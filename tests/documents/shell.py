"""What a document shows to be typed into a shell."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "scripts").glob("*.md"),
        *(ROOT / "examples").glob("*.md"),
    ]
)
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def shown(document: Path) -> Iterator[str]:
    """The commands of its blocks that are for a shell (`sh`), each whole, as it stands there."""
    for language, block in FENCE.findall(document.read_text("utf-8")):
        if language == "sh":
            yield from commands(block)


def bodies(document: Path) -> Iterator[str]:
    """The requests that it shows as they are sent."""
    for language, block in FENCE.findall(document.read_text("utf-8")):
        if language == "json" and block.startswith('{\n  "query":'):
            yield block


def commands(block: str) -> Iterator[str]:
    """The commands of a script without loops and the like.

    Raises:
        ValueError: the last one does not end.
    """
    begun: list[str] = []
    for line in block.splitlines():
        begun.append(line)
        text = "\n".join(begun)
        if _ends(text):
            begun = []
            if shlex.split(text, comments=True):
                yield text
    if begun:
        raise ValueError(f"no end: {begun[0]}")


def _ends(text: str) -> bool:
    if text.endswith("\\"):
        return False
    try:
        shlex.split(text, comments=True)
    except ValueError:  # within quotes
        return False
    return True
