"""Takes the README's picture of GraphiQL.

    uv run rollgraph demo
    PYTHONPATH=tests uv run python -m browser.screenshot

Waits until the first example has as many rollouts as fit the picture.
"""

import json
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

from browser.chromium import launch

PICTURE = Path(__file__).parents[2] / "docs" / "images" / "graphiql.png"


def main(origin: str = "http://127.0.0.1:8000") -> None:
    """Takes it of a running Rollgraph."""
    with sync_playwright() as playwright, launch(playwright) as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 800}, color_scheme="light")
        page.goto(f"{origin}/graphql")
        page.locator(".graphiql-query-editor .view-line").first.wait_for()
        count = 0
        while count < 2:
            with page.expect_response(lambda answer: answer.request.method == "POST") as waited:
                page.get_by_role("button", name="Execute query").click()
            count = len(json.loads(waited.value.body())["data"]["rollouts"]["nodes"])
            page.wait_for_timeout(2000)  # for the next moment, or for the answer to be drawn
        page.screenshot(path=PICTURE)


if __name__ == "__main__":
    main(*sys.argv[1:])
