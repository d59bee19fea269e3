"""A small app for Relay compiles against the schema."""

import shutil
from pathlib import Path

from conformance.suite import Suites

SDL = Path(__file__).parents[2] / "schema" / "schema.graphql"


def test_an_app_with_pages_refetching_and_a_mutation_compiles(suites: Suites) -> None:
    app = suites.folder / "relay"
    shutil.copy(SDL, app / "schema.graphql")
    compiler = suites.folder / "node_modules" / "relay-compiler" / "cli.js"
    status, out, err = suites.run(compiler, "relay.config.json", cwd=app)
    assert status == 0, out + err
    made = {path.name for path in (app / "src" / "__generated__").glob("*.js")}
    assert made == {
        f"{name}.graphql.js"
        for name in (
            "ActPromoteMutation",
            "Act_actions",
            "Pods_object",
            "Pods_of",
            "Pods_pod",
            "RolloutsPageQuery",
            "RolloutsQuery",
            "RolloutsRowQuery",
            "Rollouts_page",
            "Rollouts_row",
        )
    }
    # Read anew by its id: Relay asks `node(id:)` for that.
    refetch = (app / "src" / "__generated__" / "RolloutsRowQuery.graphql.js").read_text("utf-8")
    assert "node(id: $id)" in refetch
