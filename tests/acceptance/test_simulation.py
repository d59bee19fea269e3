"""Simulated clusters as their users meet them: by the real kubectl plugin, and through Rollgraph.

`tests/contract` compares the objects; here the plugin itself acts and reads, over HTTP.
"""

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from acceptance.gateway import Gateway
from acceptance.test_oracle import compare
from simulated.spoke import SimulatedSpoke, simulated_spoke
from testbed.build import ensure_built
from testbed.plugin_output import RolloutOutput, TreeLine
from testbed.record import file_name, recordings
from testbed.scenarios import by_name
from testbed.spoke import Spoke

pytestmark = pytest.mark.acceptance

# One for each thing that a person does with the plugin; all others are compared without HTTP.
PLAYED = [
    "guestbook",
    "timed-pause",
    "aborted",
    "blue-green",
    "analysis-fails",
    "manually-paused",
    "restarted",
    "workload-ref",
    "deadline",
]
RECORDED = {recording.name: recording for recording in recordings()}


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatedSpoke]:
    """A simulated cluster, and the plugin."""
    plugin = ensure_built().program("kubectl-argo-rollouts")
    folder: Path = tmp_path_factory.mktemp("simulated")
    with simulated_spoke(folder, plugin) as spoke:
        yield spoke


@pytest.fixture(scope="module")
def over_simulated(
    simulated: SimulatedSpoke, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    """Rollgraph on top of it."""
    with Gateway(simulated.kubeconfig, tmp_path_factory.mktemp("gateway")) as running:
        running.wait_until_synced()
        yield running


@pytest.mark.parametrize("name", PLAYED)
@pytest.mark.timeout(180)
def test_the_plugin_says_of_a_simulated_life_what_it_said_of_the_real_one(
    name: str, simulated: SimulatedSpoke, over_simulated: Gateway
) -> None:
    moments = 0
    for moment in by_name(name).play(cast(Spoke, simulated)):
        compare(moment, over_simulated)
        said = simulated.plugin.get_rollout(moment.rollout, moment.namespace)
        recorded = RECORDED[file_name(name, moment.name)].parsed
        assert plain(said) == plain(recorded), moment.name
        moments += 1
    assert moments > 0


def plain(output: RolloutOutput) -> RolloutOutput:
    """Without what differs from run to run: namespaces, and names that end in hashes."""
    names = {
        line.name: f"{line.kind} {place}"
        for place, line in enumerate(output.tree)
        if line.kind in ("ReplicaSet", "Pod", "AnalysisRun")
    }
    message = output.message
    for found, name in sorted(names.items(), key=lambda item: -len(item[0])):
        message = message.replace(found, name)
    return dataclasses.replace(
        output,
        namespace="",
        message=message,
        tree=tuple(_plain(line, names) for line in output.tree),
    )


def _plain(line: TreeLine, names: dict[str, str]) -> TreeLine:
    info = tuple("delay" if part.startswith("delay:") else part for part in line.info)
    return dataclasses.replace(line, name=names.get(line.name, line.name), info=info)
