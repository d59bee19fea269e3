"""What has changed in the schema since the last release breaks no client, or is announced."""

from pathlib import Path

from conformance.suite import Suites

ROOT = Path(__file__).parents[2]
SDL = ROOT / "schema" / "schema.graphql"
# A copy of what clients have: the release process puts it there.
RELEASED = ROOT / "schema" / "released.graphql"


def unreleased() -> str:
    """What the changelog says of the next release."""
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    return text.partition("## [Unreleased]")[2].partition("\n## [")[0]


def breaking(suites: Suites, newer: Path) -> list[str]:
    """The changes that a client could notice, as `Type.field: what`."""
    changes = suites.ask("diff.mjs", RELEASED, newer)
    return [f"{c['path']}: {c['message']}" for c in changes if c["level"] == "BREAKING"]


def test_breaking_changes_are_announced(suites: Suites) -> None:
    said = unreleased()
    silent = [c for c in breaking(suites, SDL) if f"`{c.partition(':')[0]}`" not in said]
    assert silent == [], "say so in CHANGELOG.md under Unreleased, with the coordinate in backticks"


def test_a_breaking_change_is_found(suites: Suites, tmp_path: Path) -> None:
    changed = tmp_path / "schema.graphql"
    released = RELEASED.read_text("utf-8")
    changed.write_text(released.replace("  phase: RolloutPhase!", "  phase: RolloutPhase"), "utf-8")
    assert [c.partition(":")[0] for c in breaking(suites, changed)] == [
        "PhaseCount.phase",
        "Rollout.phase",
    ]
