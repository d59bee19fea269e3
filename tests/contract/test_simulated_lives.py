"""Lives on the simulation, beside the same lives as they were recorded on real control planes.

Compared at each moment at which all stands still: whatever Rollgraph says of a rollout, with the
conditions of its status, its ReplicaSets, pods and analyses.
"""

import pytest

from contract.moments import moment
from contract.simulated import play
from testbed.record import file_name, recordings
from testbed.scenarios import ALL, Scenario

# What the simulation says it does not play.
NOT_PLAYED = {"nginx-weights", "nginx-aborted", "canary-scale", "experiment", "analysis-job"}
PLAYED = [scenario for scenario in ALL if scenario.name not in NOT_PLAYED]
RECORDED = {recording.name: recording for recording in recordings()}


@pytest.mark.parametrize("scenario", PLAYED, ids=[scenario.name for scenario in PLAYED])
def test_a_life_is_that_of_the_real_controller(scenario: Scenario) -> None:
    moments = 0
    for name, stage in play(scenario):
        real = RECORDED[file_name(scenario.name, name)]
        simulated = moment(stage.objects(), scenario.name)
        assert simulated == moment(real.objects, scenario.name), name
        assert stage.simulation.postponed == 0
        moments += 1
    recorded = [key for key in RECORDED if key.startswith(f"{scenario.name}--")]
    assert moments == len(recorded) > 0


def test_what_is_not_played_exists() -> None:
    assert {scenario.name for scenario in ALL} >= NOT_PLAYED
