"""What a release says of itself is complete, and says it once."""

from pathlib import Path

import pytest

from release.notes import (
    Change,
    NotReadyError,
    noted,
    released,
    schema_section,
    section,
    with_section,
)

ROOT = Path(__file__).parents[2]
CHANGELOG = (ROOT / "CHANGELOG.md").read_text("utf-8")
UPGRADE = (ROOT / "docs" / "upgrade.md").read_text("utf-8")
OF_SCHEMA = (ROOT / "CHANGELOG-schema.md").read_text("utf-8")
CHANGES: list[Change] = [
    {"path": "Rollout.split", "message": "Field 'split' was added", "level": "NON_BREAKING"},
    {"path": "Rollout.phase", "message": "Field 'phase' was removed", "level": "BREAKING"},
]


def test_what_is_unreleased_gets_a_version_and_a_day() -> None:
    new = released(CHANGELOG, "9.1.0", "2030-01-02")
    assert "## [Unreleased]\n\n## [9.1.0] - 2030-01-02\n\n### Added" in new
    assert section(new, "9.1.0").startswith("### Added\n\n- `rollgraph serve` watches")


def test_nothing_is_released_twice_or_without_a_word() -> None:
    new = released(CHANGELOG, "9.1.0", "2030-01-02")
    with pytest.raises(NotReadyError, match=r"has 9\.1\.0 already"):
        released(new, "9.1.0", "2030-01-03")
    with pytest.raises(NotReadyError, match="nothing is under Unreleased"):
        released(new, "9.2.0", "2030-01-03")
    with pytest.raises(NotReadyError, match=r"such as 1\.2\.3; got v9\.2"):
        released(CHANGELOG, "v9.2", "2030-01-03")


def test_notes_for_who_upgrades_are_demanded() -> None:
    new = noted(UPGRADE, "9.1.0")
    assert "## Next\n\n## 9.1.0\n" in new
    with pytest.raises(NotReadyError, match="nothing is under Next"):
        noted(new, "9.2.0")


def test_changes_of_the_schema_are_told_the_breaking_ones_first() -> None:
    assert schema_section("9.1.0", "2030-01-02", CHANGES).splitlines() == [
        "## [9.1.0] - 2030-01-02",
        "",
        "### Breaking",
        "",
        "- `Rollout.phase`: Field 'phase' was removed",
        "",
        "### Safe",
        "",
        "- `Rollout.split`: Field 'split' was added",
        "",
    ]
    assert "No changes." in schema_section("9.1.1", "2030-01-02", [])


def test_the_newest_changes_of_the_schema_come_first() -> None:
    first = with_section(OF_SCHEMA, "9.1.0", schema_section("9.1.0", "2030-01-02", CHANGES))
    both = with_section(first, "9.1.1", schema_section("9.1.1", "2030-01-03", []))
    headings = [line for line in both.splitlines() if line.startswith("## [9")]
    assert headings == ["## [9.1.1] - 2030-01-03", "## [9.1.0] - 2030-01-02"]
    assert both.startswith(OF_SCHEMA.splitlines()[0])
    assert section(both, "9.1.0").endswith("Field 'split' was added")
    with pytest.raises(NotReadyError, match=r"9\.9\.9 has no section"):
        section(both, "9.9.9")
