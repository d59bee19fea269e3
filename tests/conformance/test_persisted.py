"""Clients of others send hashes instead of documents, and compilers of others write such files."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from conformance.suite import Suites
from rollgraph.core.documents import digest, trusted
from rollgraph.schema.schema import build_schema

SDL = Path(__file__).parents[2] / "schema" / "schema.graphql"


@pytest.fixture(scope="module")
def told(suites: Suites, gateway: str) -> dict[str, Any]:
    """What Apollo Client and urql got and sent."""
    found: dict[str, Any] = suites.ask("persisted.mjs", gateway)
    return found


@pytest.mark.parametrize("way", ["apolloPost", "apolloGet", "urqlPost", "urqlGet"])
def test_the_second_time_a_hash_is_enough(told: dict[str, Any], way: str) -> None:
    assert told[way]["answers"] == [1, 1]
    sent = told[way]["sent"]
    assert [(each["document"], each["hash"]) for each in sent] == [
        (False, True),
        (True, True),
        (False, True),
    ]
    assert sent[-1]["method"] == ("GET" if way.endswith("Get") else "POST")
    assert sent[-1]["status"] == 200


def test_what_relay_s_compiler_writes_can_be_trusted(suites: Suites, tmp_path: Path) -> None:
    project = suites.folder / "persisting"
    shutil.copytree(suites.folder / "relay", project)
    config = json.loads((project / "relay.config.json").read_text("utf-8"))
    config["persistConfig"] = {"file": "./persisted.json", "algorithm": "SHA256"}
    shutil.copy(SDL, project / "schema.graphql")
    (project / "persisted.json").write_text("{}", "utf-8")
    (project / "relay.config.json").write_text(json.dumps(config), "utf-8")
    compiler = suites.folder / "node_modules" / "relay-compiler" / "cli.js"
    status, out, err = suites.run(compiler, "relay.config.json", cwd=project)
    assert status == 0, err or out
    documents = trusted((project / "persisted.json").read_bytes(), "persisted.json")
    assert documents
    schema = build_schema()
    for document in documents:
        assert document.id == digest(document.text)
        assert schema.complaints(document.text) == []
