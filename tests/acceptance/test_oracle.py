"""Rollgraph says of each rollout, at each moment of its life, what the kubectl plugin says.

Every difference that is on purpose is described in docs/corrections.md and allowed here by name.
"""

import dataclasses

import pytest

from acceptance import oracle
from acceptance.gateway import Gateway
from testbed.deadline import wait_until
from testbed.errors import NotReachedError
from testbed.fleet import Fleet
from testbed.plugin_output import Image, RolloutOutput, TreeLine
from testbed.scenarios import ALL, Moment, Scenario

pytestmark = pytest.mark.acceptance

# Seconds between a change on a spoke and the answer; it takes some 10 ms on an idle machine.
SOON = 5.0


@pytest.mark.parametrize("scenario", ALL, ids=[scenario.name for scenario in ALL])
@pytest.mark.timeout(300)
def test_every_moment_reads_as_the_plugin_says(
    scenario: Scenario, fleet: Fleet, gateway: Gateway
) -> None:
    moments = 0
    for moment in scenario.play(fleet["east"]):
        compare(moment, gateway)
        moments += 1
    assert moments > 0


def compare(moment: Moment, gateway: Gateway) -> None:
    """Waits until the two agree; fails with the first field that they do not agree on."""
    where = f"{moment.scenario}, {moment.name}"

    def check() -> str | None:
        theirs = moment.spoke.plugin.get_rollout(moment.rollout, moment.namespace)
        ours = oracle.answer(gateway, moment.spoke.name, moment.namespace, moment.rollout)
        return difference(ours, theirs) if ours else "Rollgraph does not know the rollout"

    try:
        wait_until(check, seconds=SOON, what=where)
    except NotReachedError as error:
        pytest.fail(str(error))


def difference(ours: RolloutOutput, theirs: RolloutOutput) -> str | None:
    """The fields that differ, None if there are none."""
    theirs = dataclasses.replace(
        theirs,
        tree=tuple(map(without_countdown, theirs.tree)),
        # The plugin sorts the tags only of an image that two ReplicaSets run.
        images=tuple(Image(image.name, tuple(sorted(image.tags))) for image in theirs.images),
    )
    if no_steps_weight_corrected(ours, theirs):
        theirs = dataclasses.replace(theirs, actual_weight=ours.actual_weight)
    ours_fields, theirs_fields = vars(ours), vars(theirs)
    differing = [name for name in ours_fields if ours_fields[name] != theirs_fields[name]]
    said = [f"{n}: ours {ours_fields[n]!r}, theirs {theirs_fields[n]!r}" for n in differing]
    return "; ".join(said) or None


def without_countdown(line: TreeLine) -> TreeLine:
    """`delay:29s` counts down while we look: only that there is a delay is compared."""
    info = tuple("delay" if part.startswith("delay:") else part for part in line.info)
    return dataclasses.replace(line, info=info)


def no_steps_weight_corrected(ours: RolloutOutput, theirs: RolloutOutput) -> bool:
    """Correction 1: the plugin says 100 during the update of a canary without steps, we count.

    Allowed only if our figure is the canary's share of the available pods.
    """
    if theirs.step is not None or theirs.actual_weight != 100 or theirs.available == 0:
        return False
    canary, inside = 0, False
    for line in theirs.tree:
        if line.kind == "ReplicaSet":
            inside = "canary" in line.info
        canary += inside and line.kind == "Pod" and line.status == "Running"
    return ours.actual_weight == canary * 100 // theirs.available
