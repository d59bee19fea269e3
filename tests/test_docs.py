"""The documents are true, as far as a program can tell."""

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from graphql import FieldNode, OperationDefinitionNode, SelectionSetNode, build_schema, parse
from graphql import validate as complaints

from documents.shell import DOCUMENTS, FENCE, shown
from rollgraph.server import cli, metricsreference, reference
from rollgraph.server.page import PAGE
from rollgraph.server.settings import every

ROOT = Path(__file__).parent.parent
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
QUERY = re.compile(r"query=(\{.*?\n\})'", re.DOTALL)


def names(document: Path) -> str:
    return str(document.relative_to(ROOT))


@pytest.mark.parametrize("document", DOCUMENTS, ids=names)
def test_links_lead_somewhere(document: Path) -> None:
    for target in LINK.findall(document.read_text("utf-8")):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        there = (document.parent / path).resolve() if path else document
        assert there.exists(), target
        if anchor:
            assert anchor in anchors(there), target


def anchors(document: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", document.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title).lower().replace(" ", "-") for title in headings}


def commands(document: Path) -> Iterator[str]:
    """Every command of a document: of blocks for a shell, and code in the text."""
    yield from shown(document)
    yield from CODE.findall(FENCE.sub("", document.read_text("utf-8")))


COMMANDS = [
    (document, command)
    for document in DOCUMENTS
    for command in dict.fromkeys(commands(document))
    if re.match(r"(uv run (--no-dev )?)?rollgraph |scripts/", command)
]


@pytest.mark.parametrize(
    ("document", "command"), COMMANDS, ids=[f"{names(d)}: {c}" for d, c in COMMANDS]
)
def test_commands_can_be_given(document: Path, command: str) -> None:
    words = shlex.split(command, comments=True)
    if words[:2] == ["uv", "run"]:
        words = [word for word in words[2:] if word != "--no-dev"]
    program, *arguments = words
    if program == "scripts/serve":
        program, arguments = "rollgraph", ["serve", *arguments]
    if program != "rollgraph":
        assert (ROOT / program).exists()
        return
    if ">" in arguments:
        arguments = arguments[: arguments.index(">")]
    if "--help" in arguments:
        with pytest.raises(SystemExit, match=r"^0$"):
            cli.parser().parse_args(arguments)
    else:
        cli.parser().parse_args(arguments)


def test_there_are_commands_to_test() -> None:
    assert len([command for _, command in COMMANDS if "rollgraph" in command]) > 10


def test_the_page_of_settings_is_up_to_date() -> None:
    page = ROOT / "docs" / "reference" / "settings.md"
    assert page.read_text("utf-8") == reference.markdown(), (
        "run: uv run rollgraph config reference > docs/reference/settings.md"
    )


def test_the_page_of_metrics_is_up_to_date() -> None:
    page = ROOT / "docs" / "reference" / "metrics.md"
    assert page.read_text("utf-8") == metricsreference.markdown(), (
        "run: uv run rollgraph config reference --metrics > docs/reference/metrics.md"
    )


@pytest.mark.parametrize("setting", list(every()), ids=lambda setting: setting.path)
def test_each_setting_is_explained(setting: Any) -> None:
    description = setting.field.description
    assert len(description) > 30
    assert description.endswith(".")
    # A number without a unit is a trap; only a port has none.
    if setting.field.annotation in (int, float) and setting.key != "port":
        units = "seconds|kib|tokens|fields|directives|objects|rows|streams|points|documents"
        assert re.match(rf"({units}),? ", description.lower())


def operations(document: Path) -> list[str]:
    """Every operation of a document: asked with curl, or in a block of its own."""
    text = document.read_text("utf-8")
    blocks = [block for language, block in FENCE.findall(text) if language == "graphql"]
    return [*QUERY.findall(text), *blocks]


QUERIES = {names(each): found for each in DOCUMENTS if (found := operations(each))}
QUERIES["page.py"] = QUERY.findall(PAGE)


def test_there_are_operations_to_test() -> None:
    asking = {"README.md", "docs/tutorial-demo.md", "docs/actions.md", "docs/reference/errors.md"}
    assert asking <= QUERIES.keys()


@pytest.mark.parametrize("place", QUERIES)
def test_queries_fit_the_schema(place: str) -> None:
    schema = build_schema((ROOT / "schema" / "schema.graphql").read_text("utf-8"))
    assert QUERIES[place]
    for query in QUERIES[place]:
        assert complaints(schema, parse(query)) == []


def test_the_answer_of_the_readme_is_that_of_its_query() -> None:
    blocks = FENCE.findall((ROOT / "README.md").read_text("utf-8"))
    (answer,) = (json.loads(block) for language, block in blocks if language == "json")
    (operation,) = parse(QUERIES["README.md"][0]).definitions
    assert isinstance(operation, OperationDefinitionNode)
    assert shape(answer["data"]) == asked(operation.selection_set)


def shape(value: object) -> object:
    if isinstance(value, list):
        (item,) = value
        return shape(item)
    return {key: shape(item) for key, item in value.items()} if isinstance(value, dict) else None


def asked(selections: SelectionSetNode | None) -> object:
    if selections is None:
        return None
    fields = [node for node in selections.selections if isinstance(node, FieldNode)]
    return {field.name.value: asked(field.selection_set) for field in fields}


def test_ci_runs_the_command_of_the_readme() -> None:
    assert "```sh\nscripts/test\n```" in (ROOT / "README.md").read_text("utf-8")
    assert "scripts/test" in (ROOT / ".ci" / "run").read_text("utf-8")


def test_the_picture_needs_nothing_from_elsewhere() -> None:
    picture = (ROOT / "docs" / "ways.svg").read_text("utf-8")
    assert "href" not in picture
    assert "prefers-color-scheme: dark" in picture
