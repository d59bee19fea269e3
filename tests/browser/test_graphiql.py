"""GraphiQL as people use it, in a real browser under the real policy."""

import json
import re
from functools import partial
from typing import Any

import pytest
from playwright.sync_api import Page, Response, expect

from browser.conftest import Visit
from testbed.deadline import wait_until

pytestmark = [
    pytest.mark.browser,
    pytest.mark.looptime(False),
    pytest.mark.timeout(120),
]

ACTING = ["Promote", "Abort", "ManyAtOnce"]
TABS = ["NeedSomebody", "OneRollout", "Watch", *ACTING, "Clusters", "Pages"]


@pytest.fixture(autouse=True)
def _nothing_foreign_and_no_complaint(visit: Visit) -> Any:
    """Holds for whatever a test does with the page."""
    yield
    assert visit.requests
    assert visit.foreign() == []
    assert visit.complaints == []


def run(visit: Visit) -> Any:
    """Presses the button; what the answer's pane then shows, as JSON."""
    page = visit.page
    with page.expect_response(_is_of_a_person) as waited:
        page.get_by_role("button", name="Execute query").click()
    answer = json.loads(waited.value.body())
    assert "errors" not in answer, answer
    first = next(iter(answer["data"]))
    expect(page.locator(".result-window")).to_contain_text(first)
    return answer["data"]


def _is_of_a_person(answer: Response) -> bool:
    # GraphiQL asks for the schema by itself, which may still be on its way.
    question = answer.request.post_data
    return question is not None and "IntrospectionQuery" not in question


def shown(visit: Visit) -> str:
    """The text of the answer's pane."""
    return visit.page.locator(".result-window").inner_text().replace("\xa0", " ")


def test_the_first_visit_shows_examples_that_run(visit: Visit) -> None:
    visit.open()
    page = visit.page
    expect(page).to_have_title("Rollgraph")
    assert [tab.strip() for tab in page.get_by_role("tab").all_inner_texts()][: len(TABS)] == TABS
    for name in TABS:
        if name == "Watch":  # goes on for ever: see test_subscribing
            continue
        page.get_by_role("tab", name=name).click()
        assert run(visit)  # at once: nobody has to wait until GraphiQL knows the operation's name


def test_the_answer_is_shown(visit: Visit) -> None:
    visit.open()
    (first, second) = run(visit)["rollouts"]["nodes"]
    assert (first["phase"], second["phase"]) == ("DEGRADED", "PAUSED")
    expect(visit.page.locator(".result-window")).to_contain_text('"DEGRADED"')
    assert '"clusterName": "prod-us"' in shown(visit)


def test_the_example_of_one_rollout_names_one_that_there_is(visit: Visit) -> None:
    visit.open()
    visit.page.get_by_role("tab", name="OneRollout").click()
    rollout = run(visit)["rollout"]
    assert rollout["phase"] == "DEGRADED"
    assert rollout["steps"][0]["label"] == "setWeight: 20"


def test_the_documentation_shows_the_schema(visit: Visit) -> None:
    visit.open()
    page = visit.page
    page.get_by_role("button", name="Show Documentation Explorer").click()
    documentation = page.locator(".graphiql-plugin")
    documentation.get_by_role("link", name="Query").first.click()
    documentation.get_by_role("link", name="rollouts", exact=True).click()
    expect(documentation).to_contain_text("A page has 50 rollouts unless")


def test_the_editor_completes_and_marks_what_is_wrong(visit: Visit) -> None:
    # Both are the work of the workers, which the policy must let run.
    visit.open()
    page = visit.page
    page.locator(".graphiql-query-editor .view-lines").click()
    page.keyboard.press("Control+A")
    page.keyboard.type("{ nonsense rollou")
    expect(page.locator(".suggest-widget")).to_contain_text("rolloutSummary")
    expect(page.locator(".graphiql-query-editor .squiggly-error").first).to_be_visible()
    assert any("graphql.worker" in url for url in visit.requests)


def test_the_editor_formats(visit: Visit) -> None:
    visit.open()
    page = visit.page
    page.get_by_role("button", name=re.compile("^Prettify")).click()
    lines = page.locator(".graphiql-query-editor .view-lines")
    expect(lines).not_to_contain_text(re.compile(r"waiting\s\{\smessage\shuman\s\}"))


def test_another_visit_finds_what_the_last_one_left(visit: Visit) -> None:
    visit.open()
    page = visit.page
    chosen = page.locator(".graphiql-tab-active")
    page.get_by_role("tab", name="Pages").click()
    expect(chosen).to_contain_text("Pages")
    wait_until(partial(_stored, page), seconds=30, what="GraphiQL has stored where one is")
    page.reload()
    expect(chosen).to_contain_text("Pages")


def _stored(page: Page) -> str | None:
    # Not `wait_for_function`: the policy forbids it to evaluate.
    state = json.loads(page.evaluate('localStorage.getItem("graphiql:tabState")') or "{}")
    return None if state.get("activeTabIndex") == len(TABS) - 1 else f"stored: {state}"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_as_light_or_dark_as_the_system(visit: Visit, scheme: Any) -> None:
    visit.page.emulate_media(color_scheme=scheme)
    visit.open()
    page = visit.page
    colour = page.locator(".graphiql-container").evaluate(
        "(place) => getComputedStyle(place).backgroundColor"
    )
    assert (sum(map(int, re.findall(r"\d+", colour)[:3])) > 3 * 128) == (scheme == "light"), colour
    editors = page.locator(".graphiql-query-editor .monaco-editor.vs-dark")
    expect(editors).to_have_count(0 if scheme == "light" else 1)


def test_what_the_policy_forbids_would_be_noticed(visit: Visit) -> None:
    # So that the silence of all other tests means something.
    visit.open()
    visit.page.evaluate(
        """() => {
          const script = document.createElement("script");
          script.textContent = "globalThis.intruded = true";
          document.body.append(script);
          return fetch("https://elsewhere.invalid/").catch(() => {});
        }"""
    )
    assert visit.page.evaluate("globalThis.intruded") is None
    for directive in ("script-src", "connect-src"):
        assert any(directive in complaint for complaint in visit.complaints)
    visit.complaints.clear()
