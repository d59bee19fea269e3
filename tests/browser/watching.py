"""What somebody does who watches a rollout of the demo in GraphiQL."""

import json
from collections.abc import Mapping
from typing import Any

import httpx2
from playwright.sync_api import Page

from testbed.deadline import wait_until

PAUSED = """
{ rollouts(filter: {phase: [PAUSED], strategy: [CANARY]}, first: 1) {
  nodes { cluster: clusterName namespace name }
} }
"""


def ask(origin: str, query: str, **variables: object) -> dict[str, Any]:
    """The data of an answer."""
    question = {"query": query, "variables": variables}
    answer = httpx2.post(f"{origin}/graphql", json=question, trust_env=False, timeout=60)
    data: dict[str, Any] = json.loads(answer.content)["data"]
    return data


def a_paused_rollout(origin: str) -> dict[str, str]:
    """The name of a canary that is, as soon as one is."""
    found: list[dict[str, str]] = []

    def looked() -> str | None:
        found[:] = ask(origin, PAUSED)["rollouts"]["nodes"]
        return None if found else "no canary is paused"

    wait_until(looked, seconds=60, what="a canary is paused")
    return found[0]


def watch(page: Page, rollout: Mapping[str, str]) -> None:
    """Begins to watch the rollout of this name, in the tab that is there for it."""
    page.get_by_role("tab", name="Watch").click()
    page.get_by_role("button", name="Variables").click()
    page.locator(".graphiql-editor-tool .view-lines").first.click()
    page.keyboard.press("Control+A")
    # The editor indents by itself.
    names = ",\n".join(f"{json.dumps(key)}: {json.dumps(name)}" for key, name in rollout.items())
    page.keyboard.insert_text('{ "rollout": { "key": {\n' + names + "\n} } }")
    for _ in range(5):  # what the editor has closed by itself
        page.keyboard.press("Delete")
    page.get_by_role("button", name="Execute query").click()
