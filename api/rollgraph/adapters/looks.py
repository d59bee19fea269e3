"""How files look from outside, by which it is noticed that they have changed."""

from pathlib import Path
from typing import TypeAlias

# Time, size and inode; None for a file that is not there, or that nobody may look at.
Look: TypeAlias = tuple[int, int, int] | None


def look_at(path: Path) -> Look:
    """How a file looks now. It blocks, as disks do."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size, stat.st_ino
