"""The pages build with strict types, and show on the demo what they are for."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from graphql import build_schema, parse, validate
from playwright.sync_api import Browser, Page, expect, sync_playwright

from browser.chromium import launch
from demos import Demo
from examples.conftest import EXAMPLES
from examples.workshop import ROOT, Workshop

pytestmark = [
    pytest.mark.browser,
    pytest.mark.conformance,
    pytest.mark.timeout(600),  # the first run gets the packages from npm
]
RELEASE = """
mutation Release($key: RolloutKeyInput!) {
  setRolloutImage(input: {rollout: {key: $key}, container: "*", image: "shop:8.8.8"}) {
    applied userErrors { message }
  }
}
"""
CHECKOUT = {"cluster": "eu-west", "namespace": "shop", "name": "checkout"}


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    return Workshop(tmp_path_factory.mktemp("pages"))


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright, launch(playwright) as browser:
        yield browser


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """An empty page, which complains of nothing until it is closed."""
    complaints: list[str] = []
    context = chromium.new_context()
    opened = context.new_page()
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on(
        "console", lambda said: complaints.append(said.text) if said.type == "error" else None
    )
    yield opened
    context.close()
    assert complaints == []


def test_a_canary_is_followed_step_by_step(workshop: Workshop, running: Demo, page: Page) -> None:
    workshop.build("react-urql")
    with workshop.served("react-urql", running.url) as url:
        page.goto(url)
        page.get_by_role("button", name="checkout eu-west/shop").click()
        steps = page.get_by_role("listitem")
        expect(steps.first).to_be_visible()
        running.ask(RELEASE, key=CHECKOUT)
        current = page.locator("li[aria-current=step]")
        expect(current).to_contain_text("pause", ignore_case=True, timeout=60_000)
        expect(page.get_by_text(re.compile(r"^.*20 % of 20 %"))).to_be_visible(timeout=60_000)
        # Whoever looks at the demo may be faster than this click; either way it goes on.
        promote = page.get_by_role("button", name="Promote")
        if promote.is_enabled():
            promote.click()
        expect(page.get_by_text(re.compile("(40|60|80|100) % of"))).to_be_visible(timeout=60_000)
        page.goto("about:blank")  # it would complain of the server's end


def test_pages_of_rollouts_follow_each_other(workshop: Workshop, running: Demo, page: Page) -> None:
    workshop.build("relay")
    with workshop.served("relay", running.url) as url:
        page.goto(url)
        rows = page.locator("tbody tr")
        expect(rows).to_have_count(10)
        page.get_by_role("button", name="More").click()
        expect(rows).to_have_count(12)
        expect(page.get_by_role("button", name="More")).to_be_disabled()


def test_the_card_for_backstage_fits_its_types(workshop: Workshop) -> None:
    workshop.build("backstage")
    card = (EXAMPLES / "backstage" / "src" / "RolloutCard.tsx").read_text("utf-8")
    (query,) = re.findall(r"^const QUERY = `(.*?)`;", card, re.MULTILINE | re.DOTALL)
    sdl = (ROOT / "schema" / "schema.graphql").read_text("utf-8")
    assert validate(build_schema(sdl), parse(query)) == []


def test_nothing_is_built_in_the_tree() -> None:
    built = {"node_modules", "dist", "__generated__"}
    assert not [path for path in Path(EXAMPLES).rglob("*") if path.name in built]
