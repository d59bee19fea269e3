"""How clusters are watched, and how many rollouts there are of what."""

from datetime import timedelta
from typing import Any

import pytest

from factories import rollout_view
from fakes.rights import Some
from rollgraph.core.connection import ConnectionStatus, Problem
from rollgraph.core.phase import Phase
from rollgraph.core.refs import RolloutRef
from rollgraph.core.verbs import Verb
from unit.schema.asking import cluster
from unit.schema.streams.streaming import Live, at

CLUSTERS = """
subscription Clusters($filter: ClusterFilter, $after: String) {
  clusterConnectionChanged(filter: $filter, resumeAfter: $after) {
    kind cursor clusterName from to reason cluster { name connection { status lastError } }
  }
}
"""
COUNTS = """
subscription Counts($filter: RolloutFilter, $interval: Duration! = "PT1S") {
  rolloutSummaryChanged(filter: $filter, groupBy: [PHASE], minInterval: $interval) {
    countedAt buckets { phase count }
  }
}
"""
LOST: dict[str, Any] = {
    "status": ConnectionStatus.DISCONNECTED,
    "problem": Problem.UNREACHABLE,
    "error": "refused",
}


@pytest.fixture
async def live() -> Live:
    made = Live()
    made.put_cluster(cluster("east"))
    made.put_cluster(cluster("west"))
    return made


async def test_each_cluster_comes_first_then_what_changes_and_no_sign_of_life(live: Live) -> None:
    async with live.reader(CLUSTERS) as reader:
        first = await reader.events(2)
        assert at(first, "kind", "clusterName", "from", "to") == [
            ("SNAPSHOT", "east", None, "CONNECTED"),
            ("SNAPSHOT", "west", None, "CONNECTED"),
        ]
        live.put_cluster(cluster("east", seconds_ago=0))
        live.put_cluster(cluster("west", **LOST))
        event = await reader.event()
        assert (event["kind"], event["clusterName"]) == ("CLUSTER_CONNECTION_CHANGED", "west")
        assert (event["from"], event["to"]) == ("CONNECTED", "DISCONNECTED")
        assert event["cluster"]["connection"] == {"status": "DISCONNECTED", "lastError": "refused"}
        live.put_cluster(cluster("north"))
        assert at([await reader.event()], "kind", "clusterName") == [("ADDED", "north")]
        live.fanout.forget("east")
        gone = await reader.event()
    assert (gone["kind"], gone["clusterName"], gone["cluster"]) == ("DELETED", "east", None)


async def test_clusters_that_begin_to_match_are_added(live: Live) -> None:
    async with live.reader(CLUSTERS, filter={"status": ["DISCONNECTED"]}) as reader:
        event = await reader.event_after(lambda: live.put_cluster(cluster("west", **LOST)))
        assert (event["kind"], event["to"]) == ("ADDED", "DISCONNECTED")
        live.put_cluster(cluster("west"))
        assert (await reader.event())["kind"] == "DELETED"


async def test_only_clusters_that_are_shown_are_told(live: Live) -> None:
    rights = Some(lambda view: view.ref.cluster == "west", ["east"], [Verb.WATCH])
    async with live.reader(CLUSTERS, rights) as reader:
        assert (await reader.event())["clusterName"] == "east"
        live.put_cluster(cluster("west", **LOST))
        live.rule.say(Some(lambda _: False, ["west"], [Verb.WATCH]))
        events = await reader.events(2)
    assert at(events, "kind", "clusterName") == [("DELETED", "east"), ("ADDED", "west")]


async def test_what_is_hidden_before_it_was_read_is_told_as_gone(live: Live) -> None:
    async with live.reader(CLUSTERS) as reader:
        await reader.events(2)
        live.put_cluster(cluster("east", **LOST))
        live.put_cluster(cluster("west", **LOST))
        await reader.event()
        live.rule.say(Some(lambda _: False, ["east"], [Verb.WATCH]))
        assert at([await reader.event()], "kind", "clusterName") == [("DELETED", "west")]
        assert await reader.silent()


async def test_who_comes_back_hears_what_was_missed_of_clusters(live: Live) -> None:
    async with live.reader(CLUSTERS) as reader:
        after = (await reader.events(2))[-1]["cursor"]
    live.put_cluster(cluster("east", **LOST))
    live.put(rollout_view("east/shop/web"))
    live.put_cluster(cluster("east", seconds_ago=0))
    async with live.reader(CLUSTERS, after=after) as reader:
        lost, back = await reader.events(2)
        assert at([lost, back], "kind", "from", "to") == [
            ("CLUSTER_CONNECTION_CHANGED", "CONNECTED", "DISCONNECTED"),
            ("CLUSTER_CONNECTION_CHANGED", "DISCONNECTED", "CONNECTED"),
        ]
        assert await reader.silent()
    async with live.reader(CLUSTERS, after=lost["cursor"]) as reader:
        assert at([await reader.event()], "from", "to") == [("DISCONNECTED", "CONNECTED")]
    async with live.reader(CLUSTERS, after=back["cursor"]) as reader:
        live.put_cluster(cluster("west", **LOST))
        assert (await reader.event())["to"] == "DISCONNECTED"


async def test_a_filter_is_held_against_what_clusters_were_then(live: Live) -> None:
    lost = {"status": ["DISCONNECTED"]}
    live.put_cluster(cluster("west", **LOST))
    async with live.reader(CLUSTERS, filter=lost) as reader:
        after = (await reader.event())["cursor"]
    live.put_cluster(cluster("east", **LOST))
    live.put_cluster(cluster("west"))
    async with live.reader(CLUSTERS, filter=lost, after=after) as reader:
        missed = await reader.events(2)
    assert at(missed, "kind", "clusterName") == [("ADDED", "east"), ("DELETED", "west")]


@pytest.mark.parametrize("change", ["come", "gone", "hidden", "forgotten"])
async def test_who_would_have_to_know_other_clusters_begins_anew(live: Live, change: str) -> None:
    async with live.reader(CLUSTERS) as reader:
        after = (await reader.events(2))[-1]["cursor"]
    if change == "come":
        live.put_cluster(cluster("north"))
    elif change == "gone":
        live.fanout.forget("east")
    elif change == "hidden":
        live.rule.say(Some(lambda _: False, ["west"], [Verb.WATCH]))
    else:
        for _ in range(live.history + 1):
            live.put_cluster(cluster("west", seconds_ago=0))
    async with live.reader(CLUSTERS, after=after) as reader:
        first, second = await reader.events(2)
    assert at([first], "kind", "clusterName", "cluster", "to") == [("RESYNC", None, None, None)]
    assert "not known any more" in first["reason"]
    assert second["kind"] == "SNAPSHOT"


async def test_who_was_away_while_the_state_was_told_begins_anew(live: Live) -> None:
    async with live.reader(CLUSTERS) as reader:
        after = (await reader.event())["cursor"]
    async with live.reader(CLUSTERS, after=after) as reader:
        assert at(await reader.events(3), "kind") == ["RESYNC", "SNAPSHOT", "SNAPSHOT"]
    async with live.reader(CLUSTERS, after="nonsense") as reader:
        assert (await reader.error())[0] == "BAD_USER_INPUT"


async def test_rights_that_change_before_a_resync_was_read_do_not_swallow_it(live: Live) -> None:
    async with live.reader(CLUSTERS) as reader:
        after = (await reader.event())["cursor"]
    async with live.reader(CLUSTERS, after=after) as reader:
        live.rule.say(Some(lambda _: False, ["west"], [Verb.WATCH]))
        told = await reader.events(2)
        assert at(told, "kind", "clusterName") == [("RESYNC", None), ("SNAPSHOT", "west")]
        assert await reader.silent()


def buckets(event: dict[str, Any]) -> dict[str, int]:
    return {bucket["phase"]: bucket["count"] for bucket in event["buckets"]}


async def test_counts_are_told_when_one_is_another(live: Live) -> None:
    live.put(rollout_view("east/shop/web"), rollout_view("west/shop/web"))
    async with live.reader(COUNTS) as reader:
        assert buckets(await reader.event()) == {"HEALTHY": 2}
        live.put(rollout_view("east/shop/web", percent=50))
        began = live.clock.now()
        event = await reader.event_after(
            lambda: live.put(rollout_view("east/shop/web", phase=Phase.DEGRADED))
        )
        assert buckets(event) == {"HEALTHY": 1, "DEGRADED": 1}
        assert live.clock.now() - began <= timedelta(seconds=2.1)
        live.drop(RolloutRef("east", "shop", "web"))
        assert buckets(await reader.event()) == {"HEALTHY": 1}
        live.put(rollout_view("west/shop/web", percent=50))
        assert await reader.silent(10)


async def test_counts_of_a_filter_and_of_rights(live: Live) -> None:
    live.put(*(rollout_view(f"east/shop/{name}") for name in ("web", "db", "api")))
    rights = Some(lambda view: view.ref.name != "db", verbs=[Verb.WATCH])
    wanted = {"name": {"in": ["web", "db"]}}
    async with live.reader(COUNTS, rights, filter=wanted) as reader:
        assert buckets(await reader.event()) == {"HEALTHY": 1}
        live.rule.say(Some(lambda _: True, verbs=[Verb.WATCH]))
        live.fanout.nudge()
        assert buckets(await reader.event()) == {"HEALTHY": 2}


async def test_counts_keep_their_pace(live: Live) -> None:
    async with live.reader(COUNTS, interval="PT30S") as reader:
        assert buckets(await reader.event()) == {}
        began = live.clock.now()
        for number in range(5):
            live.put(rollout_view(f"east/shop/web-{number}"))
        assert buckets(await reader.event(within=40)) == {"HEALTHY": 5}
        assert live.clock.now() - began >= timedelta(seconds=29)
