"""What ``kubectl argo rollouts get rollout NAME --no-color`` prints, as plain data.

The parser is exact: a line that it does not understand is an error, never skipped.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from testbed.errors import PluginOutputError

LABEL_WIDTH = 17  # the plugin pads labels to it, with "%-17s%v"
COLUMNS = ("NAME", "KIND", "STATUS", "AGE", "INFO")
INDENT = 3  # characters that one level of the tree takes: "├──", "│  "
STATUS_ICONS = frozenset("◷◌⚠?✔✖॥•")
KINDS: Mapping[str, str] = {
    "⟳": "Rollout",
    "#": "Revision",
    "⧉": "ReplicaSet",
    "□": "Pod",
    "⊞": "Job",
    "Σ": "Experiment",
    "α": "AnalysisRun",  # noqa: RUF001 - the Greek letter is meant
}


@dataclass(frozen=True)
class Image:
    """An image that runs, and what for: ``stable``, ``canary``, ``Σ:baseline``."""

    name: str
    tags: tuple[str, ...]


@dataclass(frozen=True)
class TreeLine:
    """One line of the tree, without its age. ``depth``: 0 for the rollout, 1 for a revision.

    A revision has neither icon nor status. ``info`` holds the parts of the last column, such as
    ``ready:1/1``, ``stable``, ``delay:29s`` or ``✔ 3``.
    """

    depth: int
    kind: str
    name: str
    icon: str
    status: str
    info: tuple[str, ...]


@dataclass(frozen=True)
class RolloutOutput:
    """The whole output. ``step`` is (done, all), None for a canary without steps and blue-green.

    The weights are None for blue-green.
    """

    name: str
    namespace: str
    icon: str
    status: str
    message: str
    strategy: str
    step: tuple[int, int] | None
    set_weight: int | None
    actual_weight: int | None
    images: tuple[Image, ...]
    desired: int
    current: int
    updated: int
    ready: int
    available: int
    tree: tuple[TreeLine, ...]


def parse_rollout(text: str) -> RolloutOutput:
    """Parse the output.

    Raises:
        PluginOutputError: naming the line that is not understood.
    """
    lines = _Lines(text)
    name, namespace = lines.value("Name:"), lines.value("Namespace:")
    icon, status = _icon_and_status(lines.value("Status:"))
    message = lines.message()
    strategy = lines.value("Strategy:")
    canary = strategy == "Canary"
    return RolloutOutput(
        name=name,
        namespace=namespace,
        icon=icon,
        status=status,
        message=message,
        strategy=strategy,
        step=_step(lines.value("  Step:")) if canary else None,
        set_weight=lines.number("  SetWeight:") if canary else None,
        actual_weight=lines.number("  ActualWeight:") if canary else None,
        images=lines.images(),
        desired=lines.number_after("Replicas:", "  Desired:"),
        current=lines.number("  Current:"),
        updated=lines.number("  Updated:"),
        ready=lines.number("  Ready:"),
        available=lines.number("  Available:"),
        tree=_tree(lines.rest()),
    )


class _Lines:
    """The lines still to be read, from the first."""

    def __init__(self, text: str) -> None:
        self._lines = text.splitlines()
        self._next = 0

    def value(self, label: str) -> str:
        """The value of the next line, which must have this label."""
        line = self._take()
        if not line.startswith(label.ljust(LABEL_WIDTH)):
            raise PluginOutputError(f"expected a line {label!r}, got {line!r}")
        return line[LABEL_WIDTH:]

    def number(self, label: str) -> int:
        value = self.value(label)
        if not value.isdecimal():
            raise PluginOutputError(f"{label!r} should hold a number, got {value!r}")
        return int(value)

    def number_after(self, header: str, label: str) -> int:
        if (line := self._take()) != header:
            raise PluginOutputError(f"expected the line {header!r}, got {line!r}")
        return self.number(label)

    def message(self) -> str:
        """The message, "" when there is none; it may itself have several lines."""
        if not self._peek("Message:"):
            return ""
        lines = [self.value("Message:")]
        while not self._peek("Strategy:"):
            lines.append(self._take())
        return "\n".join(lines)

    def images(self) -> tuple[Image, ...]:
        """All images; none when nothing runs."""
        if not self._peek("Images:"):
            return ()
        images = [_image(self.value("Images:"))]
        while self._peek(" " * LABEL_WIDTH):
            images.append(_image(self.value("")))
        return tuple(images)

    def rest(self) -> list[str]:
        """The lines of the tree, after the empty line before it."""
        if (line := self._take()) != "":
            raise PluginOutputError(f"expected an empty line before the tree, got {line!r}")
        return self._lines[self._next :]

    def _peek(self, label: str) -> bool:
        return self._next < len(self._lines) and self._lines[self._next].startswith(label)

    def _take(self) -> str:
        if self._next == len(self._lines):
            raise PluginOutputError(f"the output ends too soon, after {self._lines[-1:]!r}")
        self._next += 1
        return self._lines[self._next - 1]


def _tree(lines: list[str]) -> tuple[TreeLine, ...]:
    if not lines or tuple(lines[0].split()) != COLUMNS:
        raise PluginOutputError(f"expected the header {' '.join(COLUMNS)}, got {lines[:1]!r}")
    starts = [lines[0].index(column) for column in COLUMNS]
    return tuple(_tree_line(line, starts) for line in lines[1:])


def _tree_line(line: str, starts: list[int]) -> TreeLine:
    name, kind, status, _age, info = (
        line[start:end].strip() if start else line[start:end].rstrip()
        for start, end in zip(starts, [*starts[1:], None], strict=True)
    )
    match = re.fullmatch(r"((?:│  |   )*)(├──|└──)?(\S) (\S+)", name)
    if match is None or KINDS.get(match[3]) != (kind or "Revision"):
        raise PluginOutputError(f"not a line of the tree: {line!r}")
    icon, word = _icon_and_status(status) if kind else ("", "")
    if (kind == "") != (status == ""):
        raise PluginOutputError(f"a revision has no status, everything else has one: {line!r}")
    return TreeLine(
        depth=len(match[1]) // INDENT + (match[2] is not None),
        kind=KINDS[match[3]],
        name=match[4],
        icon=icon,
        status=word,
        info=tuple(info.split(",")) if info else (),
    )


def _icon_and_status(text: str) -> tuple[str, str]:
    # A status that the plugin has no icon for gets a space instead, which stripping removes.
    icon, _, status = text.partition(" ")
    if icon in STATUS_ICONS:
        return icon, status
    if re.fullmatch(r"\s*[\w:/.-]*", text):
        return "", text.strip()
    raise PluginOutputError(f"not a status with its icon: {text!r}")


def _step(text: str) -> tuple[int, int] | None:
    if text == "":
        return None
    match = re.fullmatch(r"(\d+)/(\d+)", text)
    if match is None:
        raise PluginOutputError(f"not a step: {text!r}")
    return int(match[1]), int(match[2])


def _image(text: str) -> Image:
    match = re.fullmatch(r"(\S+)(?: \(([^()]+)\))?", text)
    if match is None:
        raise PluginOutputError(f"not an image: {text!r}")
    return Image(match[1], tuple(match[2].split(", ")) if match[2] else ())
