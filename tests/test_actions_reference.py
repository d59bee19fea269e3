"""The reference of actions says what the plans do."""

import re
from pathlib import Path
from typing import Any

from planned import NOW, live
from rollgraph.core.actions.plan import Patch, Plan
from rollgraph.core.actions.planning import plan
from rollgraph.core.verbs import SCOPES, Verb
from situations import CHANGES, MOMENTS, actions, changed

PAGE = (Path(__file__).parent.parent / "docs" / "reference" / "actions.md").read_text("utf-8")
CODE = re.compile(r"`([^`]+)`")
LEAVING = re.search(r"^\*The step is left\*.*?\n\n", PAGE, re.MULTILINE | re.DOTALL)


def rows() -> dict[str, list[str]]:
    """The cells of the table of verbs, by verb."""
    table = PAGE.partition("| verb |")[2].partition("\n\n")[0]
    cells = [[c.strip() for c in line.strip("|").split(" | ")] for line in table.splitlines()]
    return {row[0].strip("` "): row[1:] for row in cells if row[0].strip().startswith("`")}


def written(verb: str) -> set[str]:
    """The fields that the page says are written."""
    cell = rows()[verb][2]
    assert LEAVING is not None
    text = cell + (LEAVING.group() if "the step is left" in cell else "")
    return {name for name in CODE.findall(text) if name.startswith(("spec.", "status."))}


def fields(patch: Patch) -> set[str]:
    """The fields that a merge patch writes; the page tells those below `canary` in words."""
    ((part, body),) = patch.body.items()
    assert isinstance(body, dict)
    return {f"{part}.{name}" for name in body if name != "canary"}


def test_every_action_is_told_with_its_scope() -> None:
    told = {verb: row[0].strip("`") for verb, row in rows().items()}

    assert told == {str(v): str(SCOPES[v]) for v in Verb if v not in {Verb.GET, Verb.WATCH}}


def test_what_is_written_is_what_the_page_says() -> None:
    wrote: dict[str, set[str]] = {}
    for moment in MOMENTS:
        for change in CHANGES.values():
            for verb, patches in planned(moment, change):
                merges = [patch for patch in patches if isinstance(patch.body, dict)]
                wrote.setdefault(verb, set()).update(*map(fields, merges))

    assert wrote == {verb: written(verb) for verb in rows()}


def planned(moment: str, change: dict[str, Any]) -> list[tuple[str, tuple[Patch, ...]]]:
    name, documents = changed(moment, change)
    found = []
    for verb, every in actions(documents).items():
        for action in every:
            answer = plan(action, live(action, documents, name), NOW)
            found.append((str(verb), answer.patches if isinstance(answer, Plan) else ()))
    return found
