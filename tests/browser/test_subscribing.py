"""GraphiQL subscribes with nothing set: on the demo, a change of a rollout shows as it happens."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from browser.conftest import Visit
from browser.watching import a_paused_rollout, ask, watch
from demos import demo

pytestmark = [
    pytest.mark.browser,
    pytest.mark.looptime(False),
    pytest.mark.timeout(180),
]

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


def test_a_change_shows_as_it_happens(visit: Visit, origin: str) -> None:
    rollout = a_paused_rollout(origin)
    visit.open()
    page = visit.page
    watch(page, rollout)
    answers = page.locator(".result-window")
    expect(answers).to_contain_text('"SNAPSHOT"')
    expect(answers).to_contain_text('"PAUSED"')
    assert ask(origin, ABORT, rollout={"key": rollout})["abortRollout"]["applied"]
    expect(answers).to_contain_text('"DEGRADED"')
    expect(answers).not_to_contain_text('"SNAPSHOT"')
    page.get_by_role("button", name="Stop query").click()
    assert visit.foreign() == []
    assert visit.complaints == []
