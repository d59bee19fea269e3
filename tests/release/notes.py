"""What a release says of itself: the changelogs and the upgrade notes, as texts."""

import re
from collections.abc import Sequence
from typing import TypedDict

VERSION = re.compile(r"\d+\.\d+\.\d+")
UNRELEASED = "## [Unreleased]\n"
NEXT = "## Next\n"
# How a change of the schema is called, by graphql-inspector's level: the worst first.
LEVELS = {"BREAKING": "Breaking", "DANGEROUS": "Dangerous", "NON_BREAKING": "Safe"}


class NotReadyError(Exception):
    """The tree cannot be released as it is; the message says what to do."""


class Change(TypedDict):
    """A change of the schema, as graphql-inspector tells it."""

    path: str | None
    message: str
    level: str


def released(changelog: str, version: str, day: str) -> str:
    """CHANGELOG.md with what is unreleased under a version.

    Raises `NotReadyError` if there is nothing, or such a version already.
    """
    _must_be_new(changelog, version, "CHANGELOG.md")
    if not _between(changelog, UNRELEASED).strip():
        raise NotReadyError("CHANGELOG.md: nothing is under Unreleased: say what has changed")
    return changelog.replace(UNRELEASED, f"{UNRELEASED}\n## [{version}] - {day}\n", 1)


def noted(upgrade: str, version: str) -> str:
    """docs/upgrade.md with the notes for what comes next under a version.

    Raises `NotReadyError` if nobody has written any.
    """
    if not _between(upgrade, NEXT).strip():
        raise NotReadyError(
            "docs/upgrade.md: nothing is under Next: say what operators and clients have to do, "
            "or that there is nothing to do"
        )
    return upgrade.replace(NEXT, f"{NEXT}\n## {version}\n", 1)


def schema_section(version: str, day: str, changes: Sequence[Change]) -> str:
    """The section of CHANGELOG-schema.md about a version."""
    lines = [f"## [{version}] - {day}", ""]
    for level, title in LEVELS.items():
        of_level = [change for change in changes if change["level"] == level]
        if of_level:
            lines += [f"### {title}", ""]
            lines += [f"- `{change['path']}`: {change['message']}" for change in of_level]
            lines += [""]
    if not changes:
        lines += ["No changes.", ""]
    return "\n".join(lines) + "\n"


def with_section(changelog: str, version: str, section: str) -> str:
    """CHANGELOG-schema.md with a section before those of earlier versions."""
    _must_be_new(changelog, version, "CHANGELOG-schema.md")
    head, mark, rest = changelog.partition("\n## [")
    return f"{head.rstrip()}\n\n{section}{mark.lstrip() if rest else ''}{rest}"


def section(changelog: str, version: str) -> str:
    """What a changelog says of a version.

    Raises `NotReadyError` if it does not know it.
    """
    text = _between(changelog, f"## [{version}]").partition("\n")[2].strip()
    if not text:
        raise NotReadyError(f"{version} has no section: run scripts/prepare-release {version}")
    return text


def _between(text: str, heading: str) -> str:
    """What is under a heading, up to the next of its level."""
    return text.partition(heading)[2].partition("\n## ")[0]


def _must_be_new(changelog: str, version: str, name: str) -> None:
    if not VERSION.fullmatch(version):
        raise NotReadyError(f"expected a version such as 1.2.3; got {version}")
    if f"## [{version}]" in changelog:
        raise NotReadyError(f"{name}: has {version} already; choose the next one")
