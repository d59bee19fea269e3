"""A release on each of two real spokes, watched and promoted in GraphiQL, in Chromium."""

import json
import re
import secrets
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from acceptance.gateway import Gateway
from browser.chromium import launch
from browser.conftest import Visit
from testbed.fleet import Fleet
from testbed.metrics import Metrics
from testbed.scenarios.manifests import canary, pause, rollout, weight
from testbed.scenarios.stage import Stage

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.browser,
    pytest.mark.looptime(False),
    pytest.mark.timeout(300),
]

NAME = "rollouts-demo"
# Short enough for the answer's pane to show all of an event.
WATCH = """
subscription Watch($rollout: RolloutRefInput!) {
  stepProgress(rollout: $rollout) {
    kind
    rollout { phase message }
    step { step { label } waiting { message } }
    split { desiredWeight actualWeight }
  }
}
"""
PROMOTE = """
mutation Promote($rollout: RolloutRefInput!) {
  promoteRollout(input: {rollout: $rollout, reason: "20 % look good"}) {
    applied
    userErrors { message }
  }
}
"""
# As the getting-started guide of Argo Rollouts has it, with pauses of seconds.
STEPS = [weight(20), pause(), *(s for w in (40, 60, 80) for s in (weight(w), pause(3)))]
# Keeps each text that the answer's pane shows.
RECORD = """() => {
  const pane = document.querySelector(".result-window");
  window.shown = [];
  setInterval(() => {
    const text = pane.innerText.replaceAll("\\u00a0", " ");
    if (text !== window.shown.at(-1)) window.shown.push(text);
  }, 20);
}"""
# Milliseconds: five pods start and stop on a busy machine.
SLOW = 60_000


@pytest.fixture
def stages(fleet: Fleet) -> Iterator[list[Stage]]:
    """The same rollout on each spoke, Healthy."""
    with ExitStack() as stack:
        made = []
        for spoke in fleet.spokes.values():
            namespace = spoke.namespace(f"shop-{secrets.token_hex(3)}")
            stack.callback(spoke.cluster().delete, "Namespace", namespace)
            # Never started: nothing is measured.
            made.append(Stage(spoke, namespace, NAME, Metrics(0)))
            made[-1].apply(rollout(NAME, canary(*STEPS), replicas=5))
        for stage in made:
            stage.wait_phase("Healthy")
        yield made


@pytest.fixture
def chromium() -> Iterator[Browser]:
    """A browser for one test: no event loop of another test could run beside it."""
    with sync_playwright() as playwright, launch(playwright) as browser:
        yield browser


def test_a_release_is_watched_and_promoted_in_graphiql(
    chromium: Browser, gateway: Gateway, stages: list[Stage]
) -> None:
    watching = [opened(chromium, gateway.url, WATCH, stage) for stage in stages]
    for visit in watching:
        visit.page.evaluate(RECORD)
        visit.page.get_by_role("button", name="Execute query").click()
        shows(visit, '"SNAPSHOT"', '"HEALTHY"')
    for stage in stages:
        stage.set_image("yellow")
    for visit in watching:
        shows(visit, '"actualWeight": 20', '"PAUSED"', '"message": "paused until promoted"')
    acting = [opened(chromium, gateway.url, PROMOTE, stage) for stage in stages]
    for visit in acting:
        visit.page.get_by_role("button", name="Execute query").click()
        shows(visit, '"applied": true')
    for visit in watching:
        shows(visit, '"HEALTHY"')
        assert weights(visit.page.evaluate("window.shown")) == [20, 40, 60, 80]
        visit.page.get_by_role("button", name="Stop query").click()
    for visit in (*watching, *acting):
        assert (visit.foreign(), visit.complaints) == ([], [])


def opened(chromium: Browser, url: str, document: str, stage: Stage) -> Visit:
    """A tab of the browser with GraphiQL, in which this is asked about a stage's rollout."""
    page = chromium.new_page(viewport={"width": 1280, "height": 800})
    page.set_default_timeout(SLOW)
    visit = Visit(page, url)
    visit.open()
    page.get_by_role("tab", name="Watch").click()
    write(page, ".graphiql-query-editor", document)
    page.get_by_role("button", name="Variables").click()
    place = {"cluster": stage.spoke.name, "namespace": stage.namespace, "name": NAME}
    write(page, ".graphiql-editor-tool", json.dumps({"rollout": {"key": place}}))
    return visit


def shows(visit: Visit, *texts: str) -> None:
    """Waits until the answer's pane shows each of these."""
    for text in texts:
        expect(visit.page.locator(".result-window")).to_contain_text(text, timeout=SLOW)


def write(page: Page, editor: str, text: str) -> None:
    """Writes a text in place of what is in an editor."""
    page.locator(f"{editor} .view-lines").first.click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(text)
    # What the editor has closed by itself.
    page.keyboard.press("Control+Shift+End")
    page.keyboard.press("Delete")


def weights(shown: list[str]) -> list[int]:
    """The weights that the new version really had at the pauses, as the pane showed them."""
    paused = [text for text in shown if '"PAUSED"' in text]
    found = [re.search(r'"actualWeight": (\d+)', text) for text in paused]
    return list(dict.fromkeys(int(each.group(1)) for each in found if each))
