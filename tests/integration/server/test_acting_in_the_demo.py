"""People act on the demo's simulated rollouts with mutations, as on real ones."""

import json
import threading
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from demos import Demo, demo, wait

pytestmark = [pytest.mark.looptime(False), pytest.mark.timeout(180)]

ROLLOUT = """
query R($name: String!) {
  rollouts(filter: {name: {eq: $name}}) {
    nodes {
      id phase message currentStepIndex restartedAt
      viewerActions { action allowed }
      analysisRuns { nodes { id phase } }
    }
  }
}
"""


class Person:
    """Somebody with a client."""

    def __init__(self, running: Demo) -> None:
        self._url = running.url

    def ask(self, query: str, **variables: object) -> dict[str, Any]:
        """The data of an answer without errors."""
        question = {"query": query, "variables": variables}
        answer = httpx2.post(self._url, json=question, trust_env=False, timeout=60)
        body = json.loads(answer.content)
        assert "errors" not in body, body
        data: dict[str, Any] = body["data"]
        return data

    def find(self, name: str) -> dict[str, Any]:
        """A rollout, {} while it is not known."""
        found = self.ask(ROLLOUT, name=name)["rollouts"]["nodes"]
        return dict(found[0]) if found else {}

    def reach(self, name: str, **state: object) -> dict[str, Any]:
        """Waits until it is so; the rollout then."""
        wait(lambda: state.items() <= self.find(name).items(), f"{name} is {state}", 60)
        return self.find(name)

    def act(self, mutation: str, name: str, **input: object) -> dict[str, Any]:
        """What came of an action; one that fails, fails the test."""
        target = {} if "id" in input else {"rollout": {"id": self.find(name)["id"]}}
        type_ = f"{mutation[0].upper()}{mutation[1:]}Input!"
        document = f"mutation M($in: {type_}) {{ {mutation}(input: $in) {{ {SAID} }} }}"
        found: dict[str, Any] = self.ask(document, **{"in": target | input})[mutation]
        assert found["userErrors"] == []
        assert found["applied"] != input.get("dryRun", False)
        return found


SAID = "applied message stale patches { body } userErrors { code message }"


@pytest.fixture(scope="module")
def person() -> Iterator[Person]:
    """Somebody alone with a cluster on which nobody else does anything."""
    with demo("--rate", "0", "--spokes", "1") as running:
        running.serving()
        assert running.popen.stderr is not None
        # A line for each request: unread, they would fill the pipe, and stop who writes them.
        reader = threading.Thread(target=running.popen.stderr.read)
        reader.start()
        someone = Person(running)
        someone.reach("checkout", phase="HEALTHY")
        yield someone
        running.popen.kill()
        reader.join()


def test_a_canary_is_led_to_its_end(person: Person) -> None:
    name = "checkout"
    person.act("setRolloutImage", name, container="*", image="shop:9.9.9")
    person.reach(name, phase="PAUSED", currentStepIndex=1)
    person.act("promoteRollout", name, dryRun=True)
    person.reach(name, phase="PAUSED", currentStepIndex=1)
    assert person.act("promoteRollout", name, expectedStepIndex=1)["stale"] is False
    person.reach(name, phase="PAUSED", currentStepIndex=3)
    person.act("pauseRollout", name)
    person.reach(name, message="manually paused")
    person.act("resumeRollout", name)
    person.reach(name, message="CanaryPauseStep")
    person.act("skipRolloutStep", name)
    person.reach(name, phase="PAUSED", currentStepIndex=5)
    person.act("jumpToRolloutStep", name, toStepIndex=0)
    person.reach(name, phase="PAUSED", currentStepIndex=1)
    person.act("abortRollout", name)
    person.reach(name, phase="DEGRADED")
    person.act("retryRollout", name)
    person.reach(name, phase="PAUSED", currentStepIndex=1)
    person.act("promoteRolloutFull", name)
    person.reach(name, phase="HEALTHY")
    person.act("undoRollout", name)
    person.reach(name, phase="PAUSED", currentStepIndex=1)
    person.act("undoRollout", name, full=True)
    person.reach(name, phase="HEALTHY")
    person.act("restartRollout", name)
    wait(lambda: person.find(name)["restartedAt"] is not None, "its pods are new")


def test_a_full_promotion_is_aborted(person: Person) -> None:
    """The real controller takes an abort back while `promoteFull` is set; so does the simulated."""
    name = "search"
    person.reach(name, phase="HEALTHY")
    person.act("setRolloutImage", name, container="*", image="search:9.9.9-pending")
    person.reach(name, phase="PROGRESSING", currentStepIndex=0)
    person.act("promoteRolloutFull", name)
    person.act("abortRollout", name)
    found = person.reach(name, phase="DEGRADED")
    assert found["message"].startswith("RolloutAborted")


def test_an_analysis_is_ended(person: Person) -> None:
    name = "tracking"
    person.reach(name, phase="HEALTHY")
    person.act("setRolloutImage", name, container="*", image="tracking:9.9.9")
    wait(lambda: runs(person, name, "RUNNING"), "its analysis runs")
    (run,) = runs(person, name, "RUNNING")
    person.act("terminateAnalysisRun", name, id=run)
    wait(lambda: not runs(person, name, "RUNNING"), "its analysis has ended", 5)


def runs(person: Person, name: str, phase: str) -> list[str]:
    """The ids of its analysis runs in a phase."""
    found = person.find(name)["analysisRuns"]["nodes"]
    return [item["id"] for item in found if item["phase"] == phase]
