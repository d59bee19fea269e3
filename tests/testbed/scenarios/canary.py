"""Canaries that split by pods alone."""

from collections.abc import Iterator

from testbed.scenarios.manifests import canary, pause, rollout, weight
from testbed.scenarios.stage import Scenario, Stage

SHORT = 1  # seconds; of pauses that nobody looks at
LONG = 15  # seconds; of pauses that are looked at


def _guestbook(s: Stage) -> Iterator[str]:
    steps = [weight(20), pause(), weight(40), pause(SHORT), weight(60), pause(SHORT), weight(80)]
    s.apply(rollout(s.rollout, canary(*steps, pause(SHORT)), replicas=5))
    s.wait_phase("Healthy")
    yield "first revision healthy"
    s.set_image("yellow")
    s.wait_step(1)
    yield "paused at 20 %"
    s.plugin("promote")
    s.wait_phase("Healthy")
    yield "promoted"


def _two_pauses(s: Stage) -> Iterator[str]:
    s.apply(rollout(s.rollout, canary(pause(), weight(50), pause())))
    s.wait_phase("Healthy")
    s.set_image("yellow")
    s.wait_step(0)
    yield "paused before any canary"
    s.plugin("promote")
    s.wait_step(2)
    yield "paused at 50 %"
    s.set_image("blue")
    s.wait_phase("Healthy")
    yield "rolled back by changing the image back"


def _timed_pause(s: Stage) -> Iterator[str]:
    s.apply(rollout(s.rollout, canary(weight(50), pause(LONG))))
    s.wait_phase("Healthy")
    s.set_image("yellow")
    s.wait_step(1)
    yield "paused for a time"
    s.wait_phase("Healthy")
    yield "went on by itself"


def _without_steps(s: Stage) -> Iterator[str]:
    s.apply(rollout(s.rollout, canary(maxSurge=1, maxUnavailable=0), replicas=3))
    s.wait_phase("Healthy")
    yield "first revision healthy"
    s.set_image("red", stuck=True)
    s.wait_phase("Progressing", "more replicas need to be updated")
    yield "updating, new pods pending"
    s.set_image("yellow")
    s.wait_phase("Healthy")
    yield "updated"


def _aborted(s: Stage) -> Iterator[str]:
    s.apply(rollout(s.rollout, canary(weight(50), pause())))
    s.wait_phase("Healthy")
    s.set_image("yellow")
    s.wait_step(1)
    s.plugin("abort")
    s.wait_phase("Degraded", "RolloutAborted")
    yield "aborted"
    s.spoke.plugin.run("retry", "rollout", s.rollout, namespace=s.namespace)
    s.wait_step(1)
    yield "retried, paused again"
    s.plugin("promote", "--full")
    s.wait_phase("Healthy")
    yield "promoted in full"
    s.plugin("undo")
    s.wait_step(1)
    yield "undone, paused again"


ALL = (
    Scenario("guestbook", "20 %, pause, 40, 60, 80 % on 5 replicas", _guestbook),
    Scenario("two-pauses", "pauses without end, then a rollback", _two_pauses),
    Scenario("timed-pause", "a pause that ends by itself", _timed_pause),
    Scenario("without-steps", "a canary without steps: a rolling update", _without_steps),
    Scenario("aborted", "abort, retry, promote in full, undo", _aborted),
)
