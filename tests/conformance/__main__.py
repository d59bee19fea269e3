"""`scripts/schema-diff`: the changes of the schema since the last release, for people."""

import tempfile
from pathlib import Path

from conformance.suite import Suites

SCHEMA = Path(__file__).parents[2] / "schema"


def main() -> None:
    """Prints a line for each change, the breaking ones first."""
    with tempfile.TemporaryDirectory() as folder:
        suites = Suites(Path(folder))
        changes = suites.ask("diff.mjs", SCHEMA / "released.graphql", SCHEMA / "schema.graphql")
    for level in ("BREAKING", "DANGEROUS", "NON_BREAKING"):
        for change in changes:
            if change["level"] == level:
                print(f"{level.lower()}: {change['path']}: {change['message']}")  # noqa: T201
    print(f"{len(changes)} changes since the last release")  # noqa: T201


if __name__ == "__main__":
    main()
