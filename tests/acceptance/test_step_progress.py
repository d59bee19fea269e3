"""`stepProgress` on a real spoke shows of each step all that there is to know of it."""

import secrets
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import anyio.to_thread
import pytest

from acceptance.gateway import Gateway
from acceptance.hearing import over_websocket
from testbed.deadline import wait_until
from testbed.fleet import Fleet
from testbed.metrics import metrics_server
from testbed.scenarios.manifests import (
    analysis_template,
    canary,
    pause,
    rollout,
    web_metric,
    weight,
)
from testbed.scenarios.stage import Stage

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.looptime(False),
    pytest.mark.timeout(180),
]

PROGRESS = """
subscription Progress($rollout: RolloutRefInput!) {
  stepProgress(rollout: $rollout) {
    kind cursor clusterName occurredAt receivedAt fromIndex toIndex
    rollout { name phase message currentStepIndex }
    step { step { label } }
    steps {
      step { index label state startedAt }
      current endsAt
      waiting { reason message human exact since until }
      analysisRuns { phase metrics { name measurements { phase value finishedAt } } }
    }
    progress { stepsCompleted stepsTotal percent }
    split { desiredWeight actualWeight slices { roles pods readyPods availablePods weight } }
    analysisRuns { phase stepIndex }
  }
}
"""
# Seconds between the two measurements of the analysis, and of the pause behind it.
INTERVAL, PAUSE = 4, 3600
STEPS = [weight(50), {"analysis": {"templates": [{"templateName": "rate"}]}}, pause(PAUSE)]


@pytest.fixture
def stage(fleet: Fleet) -> Iterator[Stage]:
    """A rollout with an analysis that passes, Healthy."""
    spoke = fleet["west"]
    with ExitStack() as stack:
        metrics = stack.enter_context(metrics_server())
        metrics.set("rate", 0.95)
        namespace = spoke.namespace(f"progress-{secrets.token_hex(3)}")
        stack.callback(spoke.cluster().delete, "Namespace", namespace)
        made = Stage(spoke, namespace, "checkout", metrics)
        metric = web_metric(metrics.url("rate"), interval=INTERVAL, count=2)
        made.apply(analysis_template("rate", metric))
        made.apply(rollout("checkout", canary(*STEPS), replicas=4))
        made.wait_phase("Healthy")
        yield made


async def test_each_step_shows_what_it_is_where_it_stands_and_what_it_waits_for(
    gateway: Gateway, stage: Stage
) -> None:
    key = {"cluster": "west", "namespace": stage.namespace, "name": stage.rollout}
    asked = (PROGRESS, {"rollout": {"key": key}})
    async with over_websocket(gateway.url, progress=asked) as heard:
        told = heard["progress"].events
        await until(lambda: bool(told), "the state has been told")
        stage.set_image("yellow")
        await until(lambda: is_paused(told[-1][1]), "the rollout waits in its last step")
    events = [event for _, event in told]
    assert_weighing(events)
    assert_analysing(events)
    assert_pausing(events[-1])
    for event in events:
        assert (event["clusterName"], event["cursor"] != "") == ("west", True)
        assert moment(event["occurredAt"]) <= moment(event["receivedAt"])
    assert [event["toIndex"] for event in events if event["fromIndex"] == 0] == [1]


def assert_weighing(events: list[dict[str, Any]]) -> None:
    """While pods start for the first step, their weight is wanted and not yet there."""
    wanted = [event for event in events if is_at(event, "setWeight: 50")]
    first = wanted[0]
    assert first["split"]["desiredWeight"] == 50
    assert first["split"]["actualWeight"] == 0
    assert states(first) == ["CURRENT", "PENDING", "PENDING"]
    assert waits(first)["human"] is False
    assert "replicas" in waits(first)["message"]


def assert_analysing(events: list[dict[str, Any]]) -> None:
    """While the analysis runs it shows its result so far, and when it can be over."""
    running = [event for event in events if event["analysisRuns"] and measured(event) == 1]
    first = running[0]
    assert states(first) == ["COMPLETED", "CURRENT", "PENDING"]
    assert first["analysisRuns"] == [{"phase": "RUNNING", "stepIndex": 1}]
    (metric,) = runs(first)[0]["metrics"]
    (measurement,) = metric["measurements"]
    assert (metric["name"], measurement["value"]) == ("success-rate", "0.95")
    last = running[-1]
    assert waits(last)["exact"] is False
    began = moment(current(last)["step"]["startedAt"])
    assert began <= moment(measurement["finishedAt"])
    ends = moment(measurement["finishedAt"]) + timedelta(seconds=INTERVAL)
    assert moment(current(last)["endsAt"]) == ends


def assert_pausing(event: dict[str, Any]) -> None:
    """The last step has begun and ends at a known time; all before it is done."""
    assert states(event) == ["COMPLETED", "COMPLETED", "CURRENT"]
    assert event["progress"] == {"stepsCompleted": 2, "stepsTotal": 3, "percent": 66}
    step = current(event)
    assert step["step"]["label"] == f"pause: {PAUSE}s"
    ends, began = moment(step["endsAt"]), moment(step["step"]["startedAt"])
    assert ends - began == timedelta(seconds=PAUSE)
    assert (waits(event)["exact"], waits(event)["human"]) == (True, False)
    assert runs(event)[0]["phase"] == "SUCCESSFUL"
    assert measured(event) == 2
    assert moment(event["steps"][1]["step"]["startedAt"]) < began
    split = event["split"]
    assert (split["desiredWeight"], split["actualWeight"]) == (50, 50)
    pods = {tuple(each["roles"]): each["readyPods"] for each in split["slices"]}
    assert pods == {("CANARY",): 2, ("STABLE",): 2}


async def until(condition: Any, what: str) -> None:
    """Waits for what the subscriber hears."""

    def check() -> str | None:
        return None if condition() else "not yet"

    await anyio.to_thread.run_sync(partial(wait_until, check, seconds=60, what=what))


def is_paused(event: dict[str, Any]) -> bool:
    """Whether it waits in the last step, with all pods there."""
    ready = [each["readyPods"] for each in event["split"]["slices"]]
    return bool(event["rollout"]["phase"] == "PAUSED" and ready == [2, 2])


def is_at(event: dict[str, Any], label: str) -> bool:
    return event["step"] is not None and event["step"]["step"]["label"] == label


def current(event: dict[str, Any]) -> dict[str, Any]:
    (step,) = [each for each in event["steps"] if each["current"]]
    return dict(step)


def waits(event: dict[str, Any]) -> dict[str, Any]:
    return dict(current(event)["waiting"])


def states(event: dict[str, Any]) -> list[str]:
    return [each["step"]["state"] for each in event["steps"]]


def runs(event: dict[str, Any]) -> list[dict[str, Any]]:
    """The analysis runs of the second step."""
    return list(event["steps"][1]["analysisRuns"])


def measured(event: dict[str, Any]) -> int:
    """How many measurements its analysis has made."""
    metrics = runs(event)[0]["metrics"]
    return len(metrics[0]["measurements"]) if metrics else 0


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
