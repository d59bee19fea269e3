"""Recorded moments hold what they are recorded for."""

import pytest

from testbed.demo import SHOWN
from testbed.record import Recording, file_name, recordings
from testbed.scenarios import ALL

RECORDINGS = recordings()


def test_every_scenario_is_recorded() -> None:
    recorded = {recording.name.partition("--")[0] for recording in RECORDINGS}

    assert recorded == {scenario.name for scenario in ALL}


@pytest.mark.parametrize("recording", RECORDINGS, ids=[r.name for r in RECORDINGS])
def test_the_objects_are_those_that_the_output_shows(recording: Recording) -> None:
    names = {(found["kind"], found["metadata"]["name"]) for found in recording.objects}
    shown = {
        (line.kind, line.name)
        for line in recording.parsed.tree
        if line.kind not in {"Revision", "Job"}
    }

    assert ("Rollout", recording.rollout) in names
    assert shown <= names


def test_every_moment_of_the_demo_exists() -> None:
    recorded = {recording.name for recording in RECORDINGS}

    assert {file_name(name, moment) for name, moment in SHOWN.items()} <= recorded
