"""The pages of the site: docs/, and below `repository/` whatever else its pages link to.

On GitHub a page links to a file next to docs/; a site ends at its own root. So such files go along,
and links lead to where they are.
"""

import os
import re
import shutil
from pathlib import Path

from documents import commandspage, schemapage

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
CONFIG = ROOT / "zensical.toml"
# Pages that are written when the site is, so that they cannot be out of date, by their places.
WRITTEN = {
    "reference/schema.md": schemapage.markdown,
    "reference/commands.md": commandspage.markdown,
}
# A fence, code in a line, or a link: what stands in the first two is none.
_LINK = re.compile(r"^```.*?^```$|`[^`\n]+`|\[([^\]]*)\]\(([^)\s]+)\)", re.MULTILINE | re.DOTALL)


class UnlinkedError(Exception):
    """A page links to what is not there."""


def stage(folder: Path) -> None:
    """Writes pages and configuration, as zensical wants them, into an empty folder.

    Raises:
        UnlinkedError: a link leads to no file of the repository.
    """
    shutil.copy(CONFIG, folder / CONFIG.name)
    pages = folder / "docs"
    written: set[Path] = set()
    waiting = sorted(file for file in DOCS.rglob("*") if file.is_file())
    waiting.append(schemapage.SDL)
    while waiting:
        source = waiting.pop()
        if source in written:
            continue
        written.add(source)
        target = pages / place(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.suffix == ".md":
            text, linked = led(source)
            target.write_text(text, "utf-8")
            waiting += linked
        else:
            shutil.copy(source, target)
    for name, markdown in WRITTEN.items():
        (pages / name).write_text(markdown(), "utf-8")


def place(source: Path) -> Path:
    """Where a file of the repository is below the site's root."""
    if source.is_relative_to(DOCS):
        return source.relative_to(DOCS)
    return "repository" / source.relative_to(ROOT)


def led(page: Path) -> tuple[str, list[Path]]:
    """A page with its links led to where the files are on the site, and these files.

    Raises:
        UnlinkedError: a link leads to no file of the repository.
    """
    linked: list[Path] = []

    def lead(link: re.Match[str]) -> str:
        if link[2] is None or re.match(r"[a-z]+:|#", link[2]):
            return link[0]
        path, sign, anchor = link[2].partition("#")
        file = (page.parent / path).resolve()
        if file.is_dir():
            return link[1]  # a site has no folders to look into
        if not file.is_file() or not file.is_relative_to(ROOT):
            raise UnlinkedError(f"{page.relative_to(ROOT)} links to {path}, which is not there")
        linked.append(file)
        there = os.path.relpath(place(file), place(page).parent)
        return f"[{link[1]}]({there}{sign}{anchor})"

    return _LINK.sub(lead, page.read_text("utf-8")), linked
