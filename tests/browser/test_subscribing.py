"""GraphiQL subscribes with nothing set: on the demo, a change of a rollout shows as it happens."""

import json
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from playwright.sync_api import expect

from browser.conftest import Visit
from demos import demo
from testbed.deadline import wait_until

pytestmark = [
    pytest.mark.browser,
    pytest.mark.looptime(False),
    pytest.mark.timeout(180),
]

PAUSED = """
{ rollouts(filter: {phase: [PAUSED]}, first: 1) { nodes { cluster: clusterName namespace name } } }
"""
ABORT = """
mutation Abort($rollout: RolloutRefInput!) {
  abortRollout(input: {rollout: $rollout}) { applied userErrors { message } }
}
"""


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    """A running demo's URL."""
    with demo() as running:
        running.serving()
        yield running.url.removesuffix("/graphql")


def ask(origin: str, query: str, **variables: object) -> dict[str, Any]:
    question = {"query": query, "variables": variables}
    answer = httpx2.post(f"{origin}/graphql", json=question, trust_env=False, timeout=60)
    data: dict[str, Any] = json.loads(answer.content)["data"]
    return data


def a_paused_rollout(origin: str) -> dict[str, str]:
    """The name of one, as soon as there is one."""
    found: list[dict[str, str]] = []

    def looked() -> str | None:
        found[:] = ask(origin, PAUSED)["rollouts"]["nodes"]
        return None if found else "no rollout is paused"

    wait_until(looked, seconds=60, what="a rollout is paused")
    return found[0]


def test_a_change_shows_as_it_happens(visit: Visit, origin: str) -> None:
    rollout = {"key": a_paused_rollout(origin)}
    visit.open()
    page = visit.page
    page.get_by_role("tab", name="Watch").click()
    page.get_by_role("button", name="Variables").click()
    page.locator(".graphiql-editor-tool .view-lines").first.click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(json.dumps({"rollout": rollout}))
    for _ in range(5):  # what the editor has closed by itself
        page.keyboard.press("Delete")
    page.get_by_role("button", name="Execute query").click()
    answers = page.locator(".result-window")
    expect(answers).to_contain_text('"SNAPSHOT"')
    expect(answers).to_contain_text('"PAUSED"')
    assert ask(origin, ABORT, rollout=rollout)["abortRollout"]["applied"]
    expect(answers).to_contain_text('"DEGRADED"')
    expect(answers).not_to_contain_text('"SNAPSHOT"')
    page.get_by_role("button", name="Stop query").click()
    assert visit.foreign() == []
    assert visit.complaints == []
