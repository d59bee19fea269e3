"""Canaries whose weight a traffic router sets: nginx, which needs core objects only."""

from collections.abc import Iterator

from testbed.cluster import Object
from testbed.scenarios.manifests import canary, ingress, pause, rollout, service, weight
from testbed.scenarios.stage import Scenario, Stage


def _routed(s: Stage, *steps: Object, **fields: object) -> None:
    stable, new, door = f"{s.rollout}-stable", f"{s.rollout}-canary", f"{s.rollout}-door"
    s.apply(service(stable, s.rollout), service(new, s.rollout), ingress(door, stable))
    strategy = canary(
        *steps,
        stableService=stable,
        canaryService=new,
        trafficRouting={"nginx": {"stableIngress": door}},
        **fields,
    )
    s.apply(rollout(s.rollout, strategy, replicas=4))
    s.wait_phase("Healthy")


def _weights(s: Stage) -> Iterator[str]:
    _routed(s, weight(10), pause(), weight(50), pause())
    yield "first revision healthy"
    s.set_image("yellow")
    s.wait_step(1)
    yield "paused at 10 %"
    s.plugin("promote")
    s.wait_step(3)
    yield "paused at 50 %"
    s.plugin("promote")
    s.wait_phase("Healthy")
    yield "promoted, old pods kept for 30 s"


def _aborted(s: Stage) -> Iterator[str]:
    _routed(s, weight(25), pause(), dynamicStableScale=True)
    s.set_image("yellow")
    s.wait_step(1)
    yield "paused at 25 %, stable scaled down"
    s.plugin("abort")
    s.wait_phase("Degraded", "RolloutAborted")
    yield "aborted"


def _canary_scale(s: Stage) -> Iterator[str]:
    _routed(
        s,
        {"setCanaryScale": {"replicas": 3}},
        pause(),
        {"setCanaryScale": {"weight": 25}},
        weight(50),
        pause(),
        {"setCanaryScale": {"matchTrafficWeight": True}},
        pause(),
    )
    s.set_image("yellow")
    s.wait_step(1)
    yield "3 canary pods without traffic"
    s.plugin("promote")
    s.wait_step(4)
    yield "1 canary pod with half of the traffic"
    s.plugin("promote")
    s.wait_step(6)
    yield "canary pods match the traffic"


ALL = (
    Scenario("nginx-weights", "weights set by nginx annotations", _weights),
    Scenario("nginx-aborted", "abort with a dynamic stable scale", _aborted),
    Scenario("canary-scale", "setCanaryScale in its three forms", _canary_scale),
)
