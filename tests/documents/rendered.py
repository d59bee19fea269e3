"""A page of the site, as a browser reads it."""

from html.parser import HTMLParser
from pathlib import Path

# What a browser fetches by itself; where an `a` leads is the reader's choice.
_LOADS = {
    "audio": "src",
    "embed": "src",
    "iframe": "src",
    "img": "src",
    "link": "href",
    "object": "data",
    "script": "src",
    "source": "src",
    "video": "src",
}


class Rendered(HTMLParser):
    """One page.

    Attributes:
        loads: The addresses of what belongs to it: pictures, styles, scripts.
        leads: The addresses that it links to.
        anchors: The ids that a link can lead to.
        pictures: The pictures among `loads`, each with its words for who does not see it.
    """

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.leads: list[str] = []
        self.anchors: set[str] = set()
        self.pictures: list[tuple[str, str]] = []
        self.feed(file.read_text("utf-8"))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Takes from each element what there is to know of it."""
        found = {name: value or "" for name, value in attrs}
        if "id" in found:
            self.anchors.add(found["id"])
        if tag == "a" and "href" in found:
            self.leads.append(found["href"])
        if tag in _LOADS and _LOADS[tag] in found:
            self.loads.append(found[_LOADS[tag]])
        if tag == "img":
            self.pictures.append((found["src"], found.get("alt", "")))
