"""Takes the documents' pictures of GraphiQL.

    uv run rollgraph demo
    PYTHONPATH=tests uv run python -m browser.screenshot

Waits until the first example has as many rollouts as fit the picture, and for the other until one
is paused, which is promoted while it is watched.
"""

import json
import sys
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

from browser.chromium import launch
from browser.watching import a_paused_rollout, ask, watch

IMAGES = Path(__file__).parents[2] / "docs" / "images"
PROMOTE = """
mutation Promote($rollout: RolloutRefInput!) {
  promoteRollout(input: {rollout: $rollout}) { applied }
}
"""


def main(origin: str = "http://127.0.0.1:8000") -> None:
    """Takes them of a running Rollgraph."""
    with sync_playwright() as playwright, launch(playwright) as browser:
        for picture, take in (("graphiql.png", _first), ("graphiql-subscription.png", _watching)):
            page = browser.new_page(viewport={"width": 1280, "height": 800}, color_scheme="light")
            page.goto(f"{origin}/graphql")
            page.locator(".graphiql-query-editor .view-line").first.wait_for()
            take(page, origin)
            page.screenshot(path=IMAGES / picture)
            page.close()


def _first(page: Page, _: str) -> None:
    """The first example, answered."""
    count = 0
    while count < 2:
        with page.expect_response(lambda answer: answer.request.method == "POST") as waited:
            page.get_by_role("button", name="Execute query").click()
        count = len(json.loads(waited.value.body())["data"]["rollouts"]["nodes"])
        page.wait_for_timeout(2000)  # for the next moment, or for the answer to be drawn


def _watching(page: Page, origin: str) -> None:
    """The subscription, just after somebody has promoted what it is about."""
    rollout = a_paused_rollout(origin)
    watch(page, rollout)
    answers = page.locator(".result-window")
    expect(answers).to_contain_text('"PAUSED"')
    ask(origin, PROMOTE, rollout={"key": rollout})
    expect(answers).to_contain_text('"PROGRESSING"')
    page.mouse.move(640, 790)  # off the button, which would be explained
    page.wait_for_timeout(300)


if __name__ == "__main__":
    main(*sys.argv[1:])
