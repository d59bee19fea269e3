"""`rollgraph watch` beside real spokes: a release is waited for as CI does."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from acceptance.acting import paused_stage, ref_of
from acceptance.gateway import Gateway
from acceptance.hand import Hand
from integration.server.watching import watch
from testbed.fleet import Fleet, shared_fleet

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.looptime(False),
    pytest.mark.timeout(300),
]


@pytest.fixture(scope="module")
def fleet() -> Iterator[Fleet]:
    """Two spokes of our own: one is frozen."""
    with shared_fleet(["firm", "frail"]) as running:
        yield running


@pytest.fixture(scope="module")
def gateway(fleet: Fleet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A Rollgraph of our own: it is started anew."""
    with Gateway(fleet.kubeconfig, tmp_path_factory.mktemp("gateway")) as running:
        running.wait_until_synced()
        yield running


def test_a_new_tag_is_followed_step_by_step_to_healthy(fleet: Fleet, gateway: Gateway) -> None:
    stage, hand = paused_stage(fleet["firm"]), Hand(gateway)
    name = str(ref_of(stage))
    with watch(gateway.url, name, "--until", "healthy", "--timeout", "4m") as running:
        running.shows("Paused", "step 1/5 pause")
        hand.act(stage, "promoteRollout")
        running.shows("Paused", "step 3/5 pause")
        hand.act(stage, "promoteRollout")
        assert running.end() == 0
    phases = [line.split("  ")[2].strip() for line in running.lines]
    assert phases[0] == "Paused"
    assert phases[-1] == "Healthy"
    assert {"step 2/5 setWeight: 60", "step 4/5 setWeight: 80"} <= {
        part for line in running.lines for part in line.split("  ")
    }
    assert running.said == [f"rollgraph: {name} is Healthy\n"]


def test_an_abort_ends_the_wait_with_1(fleet: Fleet, gateway: Gateway) -> None:
    stage = paused_stage(fleet["frail"])
    words = (f"frail/{stage.namespace}/*", "--until", "healthy", "--json")
    with watch(gateway.url, *words) as running:
        running.shows('"PAUSED"')
        stage.plugin("abort")
        assert running.end() == 1
    told: list[dict[str, Any]] = [json.loads(line) for line in running.lines]
    assert told[-1]["exitCode"] == 1
    assert "is aborted: RolloutAborted" in told[-1]["message"]


def test_a_pause_that_nobody_ends_is_waited_for_no_longer_than_said(
    fleet: Fleet, gateway: Gateway
) -> None:
    stage = paused_stage(fleet["firm"])
    words = (str(ref_of(stage)), "--until", "healthy", "--timeout", "3s")
    with watch(gateway.url, *words) as running:
        assert running.end() == 124
    assert running.said == [
        f"rollgraph: timed out after 3 s: {ref_of(stage)} is Paused: paused until promoted\n"
    ]


def test_it_goes_on_when_the_server_is_started_anew(fleet: Fleet, tmp_path: Path) -> None:
    stage = paused_stage(fleet["firm"])
    with (
        Gateway(fleet.kubeconfig, tmp_path) as gateway,
        watch(gateway.url, str(ref_of(stage)), "--until", "healthy") as running,
    ):
        running.shows("Paused")
        gateway.process.kill()
        running.says("trying again")
        stage.plugin("promote", "--full")
        stage.wait_phase("Healthy")
        gateway.process.start()
        assert running.end() == 0
    assert any("connected again" in line for line in running.said)


def test_a_frozen_cluster_is_shown_as_stale_and_proves_nothing(
    fleet: Fleet, gateway: Gateway
) -> None:
    frail = fleet["frail"]
    stage = paused_stage(frail)
    with watch(gateway.url, str(ref_of(stage)), "--until", "healthy") as running:
        running.shows("Paused")
        frail.apiserver.pause()
        try:
            running.shows("Paused", "STALE")
        finally:
            frail.apiserver.resume()
        stage.plugin("promote", "--full")
        assert running.end() == 0
