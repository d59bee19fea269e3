"""What a rollout says of itself."""

from typing import Any

import pytest

import samples
from rollgraph.core.belongings import Belongings
from rollgraph.core.objects.decode import kube_object
from rollgraph.core.objects.event import KubeEvent
from rollgraph.core.refs import Kind
from rollgraph.core.view import build_view
from unit.schema.asking import cluster, fleet, view


def asked(sample: str, selection: str, **patch: Any) -> Any:
    """A selection on a sample rollout."""
    made = fleet()
    made.mirror.put_cluster(cluster("east"))
    ref = made.put(view(sample, patch=patch or None)).ref
    place = f'cluster: "east", namespace: "{ref.namespace}", name: "{ref.name}"'
    return made.ask(f"{{ rollout({place}) {{ {selection} }} }}")["rollout"]


def test_a_timed_pause_tells_when_it_ends_and_how_long_that_is() -> None:
    answer = asked(
        "canary-paused-for-5m",
        """progress { percent stepsTotal stepsCompleted
             waiting { reason message human since until exact remaining elapsed } }
           currentStep { index label ... on PauseStep { duration indefinite endsAt } }""",
    )
    assert answer["progress"]["waiting"] == {
        "reason": "PAUSE",
        "message": "paused for 0:05:00",
        "human": False,
        "since": "2026-05-12T09:01:00Z",
        "until": "2026-05-12T09:06:00Z",
        "exact": True,
        "remaining": "PT4M",
        "elapsed": "PT1M",
    }
    assert answer["currentStep"] == {
        "index": 1,
        "label": "pause: 5m",
        "duration": "PT5M",
        "indefinite": False,
        "endsAt": "2026-05-12T09:06:00Z",
    }


def test_steps_of_every_kind_have_a_type() -> None:
    steps = [
        {"setWeight": 5},
        {"pause": {}},
        {"setCanaryScale": {"replicas": 2}},
        {"analysis": {"templates": [{"templateName": "errors"}]}},
        {"experiment": {"templates": [{"name": "baseline", "specRef": "stable"}]}},
        {"setHeaderRoute": {"name": "beta", "match": [{"headerName": "x"}]}},
        {"setMirrorRoute": {"name": "mirror", "percentage": 10}},
        {"plugin": {"name": "acme/load", "config": {"vus": 3}}},
        {"teleport": {"to": "mars"}},
    ]
    answer = asked(
        "canary-paused-for-5m",
        """steps { __typename label state
             ... on SetWeightStep { weight } ... on SetCanaryScaleStep { replicas }
             ... on AnalysisStep { templates run { name } }
             ... on ExperimentStep { templates experiment { name } }
             ... on SetHeaderRouteStep { routeName match }
             ... on SetMirrorRouteStep { percentage }
             ... on PluginStep { pluginName phase config } ... on UnknownStep { raw } }""",
        spec={"strategy": {"canary": {"steps": steps}}},
    )["steps"]
    assert [step["__typename"] for step in answer] == [
        "SetWeightStep",
        "PauseStep",
        "SetCanaryScaleStep",
        "AnalysisStep",
        "ExperimentStep",
        "SetHeaderRouteStep",
        "SetMirrorRouteStep",
        "PluginStep",
        "UnknownStep",
    ]
    assert [step["state"] for step in answer] == ["COMPLETED", "CURRENT", *["PENDING"] * 7]
    assert answer[0]["weight"] == 5.0
    assert answer[5]["match"] == [{"headerName": "x"}]
    assert answer[7]["config"] == {"vus": 3}
    assert answer[8] == {
        "__typename": "UnknownStep",
        "label": "teleport",
        "state": "PENDING",
        "raw": {"teleport": {"to": "mars"}},
    }


@pytest.mark.parametrize(
    ("routing", "routers"),
    [
        pytest.param(
            {"nginx": {"stableIngress": "web"}}, [{"kind": "NGINX", "names": ["web"]}], id="nginx"
        ),
        pytest.param(
            {"istio": {"virtualService": {"name": "vs", "routes": ["primary"]}}},
            [{"kind": "ISTIO", "names": ["vs"]}],
            id="istio",
        ),
        pytest.param(
            {"plugins": {"argoproj-labs/gatewayAPI": {"httpRoute": "web"}}},
            [{"kind": "PLUGIN", "names": ["argoproj-labs/gatewayAPI"]}],
            id="plugin",
        ),
        pytest.param(
            {"maxTrafficWeight": 1000, "warpDrive": {}},
            [{"kind": "PLUGIN", "names": ["warpDrive"]}],
            id="a router of a later version",
        ),
    ],
)
def test_a_traffic_router_is_named_with_what_it_works_on(
    routing: dict[str, Any], routers: list[dict[str, Any]]
) -> None:
    answer = asked(
        "canary-paused-for-5m",
        "strategy { ... on CanaryStrategy { trafficRouters { kind names } } }",
        spec={"strategy": {"canary": {"trafficRouting": routing}}},
    )
    assert answer["strategy"]["trafficRouters"] == routers


def test_a_rollout_that_cannot_be_read_says_so_and_keeps_its_name() -> None:
    answer = asked(
        "canary-paused-for-5m", "name phase message steps { label }", spec={"replicas": "many"}
    )
    assert answer["name"] == "checkout"
    assert answer["phase"] == "UNKNOWN"
    assert "replicas" in answer["message"]
    assert answer["steps"] == []


def test_the_manifest_is_the_spoke_s_own() -> None:
    answer = asked("canary-paused-for-5m", "manifest")
    assert answer["manifest"]["spec"]["strategy"]["canary"]["steps"][1] == {
        "pause": {"duration": "5m"}
    }


def test_labels_can_be_narrowed() -> None:
    answer = asked(
        "canary-paused-for-5m",
        'labels(keys: ["team"]) { key value }',
        metadata={"labels": {"team": "pay", "tier": "web"}},
    )
    assert answer["labels"] == [{"key": "team", "value": "pay"}]


def test_events_come_latest_first_in_pages() -> None:
    made = fleet()
    made.mirror.put_cluster(cluster("east"))
    events = [
        kube_object(
            Kind.EVENT,
            samples.encoded(
                {
                    "metadata": {"name": f"checkout.{n}"},
                    "type": "Normal",
                    "reason": "RolloutStepCompleted",
                    "message": f"Rollout step {n}/4 completed",
                    "count": n,
                    "lastTimestamp": f"2026-05-12T09:0{n}:00Z",
                    "source": {"component": "rollouts-controller"},
                }
            ),
        )
        for n in (1, 2, 3)
    ]
    belongings = Belongings(events=[e for e in events if isinstance(e, KubeEvent)])
    made.put(build_view("east", samples.rollout("canary-paused-for-5m"), belongings))
    answer = made.ask(
        """{ rollout(cluster: "east", namespace: "shop", name: "checkout") {
               events(first: 2) {
                 nodes { type reason message count lastSeen firstSeen source }
                 pageInfo { hasNextPage } totalCount
        } } }"""
    )["rollout"]["events"]
    assert [node["message"] for node in answer["nodes"]] == [
        "Rollout step 3/4 completed",
        "Rollout step 2/4 completed",
    ]
    assert answer["nodes"][0]["lastSeen"] == "2026-05-12T09:03:00Z"
    assert (answer["pageInfo"]["hasNextPage"], answer["totalCount"]) == (True, 3)
