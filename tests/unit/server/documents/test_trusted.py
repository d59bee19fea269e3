"""Trusted documents are read from the files of all usual tools, and must fit the schema."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from structlog.testing import capture_logs

from rollgraph.adapters.documentfiles import JsonFiles
from rollgraph.core.documents import digest
from rollgraph.core.errors import ConfigError
from rollgraph.ports.documents import Contents
from rollgraph.server.documents import wiring
from rollgraph.server.documents.trusted import Trusted
from rollgraph.server.settings import Documents, Only
from unit.schema.asking import SCHEMA

MANIFEST = Path(__file__).parents[3] / "data" / "documents" / "apollo-manifest.json"
NAMES = "query Names { rollouts(first: 50) { nodes { name } } }"
PHASES = "query Phases { rollouts(first: 50) { nodes { phase } } }"
STALE = "query Stale {\n  rollouts {\n    nodes { nickname }\n  }\n}"


def apollo(*operations: Mapping[str, str], **changes: Any) -> dict[str, Any]:
    head = {"format": "apollo-persisted-query-manifest", "version": 1}
    return {**head, "operations": list(operations), **changes}


def operation(body: str, id_: str = "", name: str = "Names") -> dict[str, str]:
    return {"id": id_ or digest(body), "name": name, "type": "query", "body": body}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def files(folder: Path, *contents: object) -> list[Path]:
    paths = [folder / f"{number}.json" for number in range(len(contents))]
    for path, content in zip(paths, contents, strict=True):
        path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    return paths


async def load(folder: Path, *contents: object) -> Trusted:
    made = Trusted(JsonFiles(files(folder, *contents)), SCHEMA.complaints)
    await made.load()
    return made


async def test_a_manifest_of_apollo_is_read(folder: Path) -> None:
    made = await load(folder, apollo(operation(NAMES), operation(PHASES, "phases", "Phases")))
    assert made.find(digest(NAMES)) == NAMES
    assert made.find("phases") == PHASES
    assert len(made) == 2


async def test_what_apollo_s_tool_has_written_is_taken(folder: Path) -> None:
    """By @apollo/generate-persisted-query-manifest 1.4.0."""
    made = await load(folder, MANIFEST.read_text("utf-8"))
    assert made.names == {"Names", "Promote", "Steps"}
    for operation in json.loads(MANIFEST.read_bytes())["operations"]:
        assert operation["id"] == digest(operation["body"])
        assert made.find(operation["id"]) == operation["body"]


async def test_documents_by_their_ids_are_read_as_relay_and_codegen_write_them(
    folder: Path,
) -> None:
    md5 = "5f2fd2a6ad4f2b1a9b0f6c1d7e8f9a0b"
    made = await load(folder, {md5: NAMES}, {digest(PHASES): PHASES})
    assert made.find(md5) == NAMES
    assert made.find(digest(PHASES)) == PHASES


async def test_each_can_be_asked_for_by_its_sha_256_too(folder: Path) -> None:
    made = await load(folder, {"names": NAMES})
    assert made.find(digest(NAMES)) == NAMES
    assert made.find(f"sha256:{digest(NAMES)}") == NAMES
    assert made.has(digest(NAMES))
    assert made.find("sha256:names") == NAMES
    assert made.find("phases") is None
    assert not made.has(digest(PHASES))


async def test_the_names_of_their_operations_are_told(folder: Path) -> None:
    both = "query A { __typename } query B { __typename }"
    made = await load(folder, {"one": NAMES, "two": both, "three": "{ __typename }"})
    assert made.names == {"Names", "A", "B"}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("{", "0.json: Input data was truncated; expected a manifest of Apollo"),
        ([NAMES], "0.json: Expected `object`, got `array`; expected a manifest of Apollo"),
        ({"a": 1}, "0.json: Expected `str`, got `int` - at `$[...]`; expected a manifest"),
        (apollo(version=2), "0.json: expected `format` apollo-persisted-query-manifest and"),
        (apollo({"id": "a"}), "0.json: Object missing required field `body`"),
    ],
)
async def test_a_file_that_is_none_is_told(folder: Path, content: object, told: str) -> None:
    with pytest.raises(ConfigError) as error:
        await load(folder, content)
    assert told in str(error.value)


async def test_a_file_that_is_not_there_is_told(folder: Path) -> None:
    made = Trusted(JsonFiles([folder / "none.json"]), SCHEMA.complaints)
    with pytest.raises(ConfigError, match=r"none\.json: No such file or directory"):
        await made.load()


async def test_what_does_not_fit_the_schema_is_told_with_its_place(folder: Path) -> None:
    manifest = apollo(operation(NAMES), operation(STALE, name="Stale"))
    with pytest.raises(ConfigError) as error:
        await load(folder, manifest, {"broken": "query {"})
    lines = str(error.value).splitlines()
    assert lines == [
        f"{folder}/0.json: operations[1] (Stale): 3:13: Cannot query field 'nickname' on type"
        " 'Rollout'. Did you mean 'name'?",
        f"{folder}/1.json: broken: 1:8: Syntax Error: Expected Name, found <EOF>.",
    ]


async def test_of_very_many_problems_some_are_told(folder: Path) -> None:
    with pytest.raises(ConfigError) as error:
        await load(folder, {f"d{number}": f"{{ wrong{number} }}" for number in range(300)})
    lines = str(error.value).splitlines()
    assert len(lines) == 11
    assert lines[-1] == "and 290 more"


async def test_no_id_stands_for_two_documents(folder: Path) -> None:
    with pytest.raises(ConfigError) as error:
        await load(folder, {"a": NAMES}, {"a": PHASES})
    assert str(error.value) == (
        f"{folder}/1.json: a: the id a stands for another document at {folder}/0.json: a"
    )
    assert len(await load(folder, {"a": NAMES}, {"a": NAMES})) == 1


class Given:
    """Files that a test changes."""

    def __init__(self) -> None:
        self.content: bytes | None = None
        self._give, self._changes = anyio.create_memory_object_stream[None]()

    async def read(self) -> Contents:
        if self.content is None:
            raise ConfigError("a.json: No such file or directory")
        return [("a.json", self.content)]

    @asynccontextmanager
    async def changes(self) -> AsyncIterator[AsyncIterator[None]]:
        async with self._changes:
            yield self._changes

    async def change(self, texts: Mapping[str, str] | None) -> None:
        """Changes them, and waits until that has been dealt with."""
        self.content = None if texts is None else json.dumps(texts).encode()
        await self._give.send(None)
        # Who listens again is done with the change before.
        while not self._give.statistics().tasks_waiting_receive:
            await anyio.lowlevel.checkpoint()

    def end(self) -> None:
        """There are no more changes."""
        self._give.close()


@pytest.mark.looptime(False)  # documents are validated in a thread
async def test_changed_files_are_taken_and_broken_ones_are_not() -> None:
    given = Given()
    made = Trusted(given, SCHEMA.complaints)
    given.content = json.dumps({"a": NAMES}).encode()
    await made.load()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(made.run)
        await given.change({"a": PHASES})
        assert (made.find("a"), made.version) == (PHASES, 2)
        assert made.names == {"Phases"}
        with capture_logs() as logs:
            await given.change({"a": STALE})
        assert "nickname" in made.problem
        assert [log["event"] for log in logs] == ["documents_not_taken"]
        await given.change(None)
        assert made.problem == "a.json: No such file or directory"
        assert (made.find("a"), made.version) == (PHASES, 2)
        await given.change({"a": NAMES})
        assert (made.find("a"), made.version, made.problem) == (NAMES, 3, "")
        given.end()


def test_who_answers_trusted_documents_alone_has_to_say_which() -> None:
    for only in (Only.REPORT, Only.REFUSE):
        with pytest.raises(ConfigError, match=r"documents\.files .*: expected a file"):
            wiring.trusted(Documents(only=only), SCHEMA.complaints)
    assert wiring.trusted(Documents(), SCHEMA.complaints) is None
