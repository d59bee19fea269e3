"""What an action does is what the kubectl plugin does to a twin; and where others fail, we do not.

Rollgraph acts by GraphQL through a running server, the plugin as a person would call it. Both begin
with rollouts that are alike, and end with such: spec, status, ReplicaSets, analyses, experiments.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from acceptance import moments
from acceptance.gateway import Gateway
from acceptance.hand import Hand
from acceptance.moments import ABORTED, HEALTHY, at, in_phase
from acceptance.twins import NAME, Condition, Moment, Twins, leave, observed, reach
from testbed.cluster import Object
from testbed.fleet import Fleet
from testbed.metrics import metrics_server
from testbed.plugin import PluginError
from testbed.process import Process
from testbed.scenarios.manifests import CONTAINER, IMAGE
from testbed.scenarios.stage import Stage

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(300)]

PROMOTE = ("promote", NAME)
IN_FULL = ("promote", NAME, "--full")
SKIP = ("promote", NAME, "--skip-current-step")
ABORT = ("abort", NAME)
RETRY = ("retry", "rollout", NAME)
UNDO = ("undo", NAME)
RED = f"{IMAGE}:red"
BLUE = f"{IMAGE}:blue"
HELD = in_phase("Paused", "manually paused")


@dataclass(frozen=True)
class Case:
    """One action at one moment.

    Attributes:
        ours: The mutation.
        theirs: What is given to the plugin.
        until: How both end.
    """

    moment: Moment
    ours: str
    theirs: tuple[str, ...]
    until: Condition
    input: dict[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        to = f" to {self.input['toRevision']}" if "toRevision" in self.input else ""
        return f"{self.ours}{to} at {self.moment.name}"


SET_RED: dict[str, object] = {"container": CONTAINER, "image": RED}
CASES = [
    Case(moments.PAUSED, "promoteRollout", PROMOTE, HEALTHY),
    Case(moments.PAUSED, "promoteRolloutFull", IN_FULL, HEALTHY),
    Case(moments.PAUSED, "skipRolloutStep", SKIP, HEALTHY),
    Case(moments.PAUSED, "abortRollout", ABORT, ABORTED),
    Case(moments.PAUSED, "pauseRollout", ("pause", NAME), HELD),
    Case(moments.PAUSED, "undoRollout", UNDO, HEALTHY),
    Case(
        moments.PAUSED,
        "setRolloutImage",
        ("set", "image", NAME, f"{CONTAINER}={RED}"),
        at(1, "Paused"),
        SET_RED,
    ),
    Case(moments.TIMED, "promoteRollout", PROMOTE, HEALTHY),
    Case(moments.TIMED, "abortRollout", ABORT, ABORTED),
    Case(moments.WEIGHING, "promoteRollout", PROMOTE, at(1, "Paused")),
    Case(moments.WEIGHING, "skipRolloutStep", SKIP, at(1, "Paused")),
    Case(moments.WEIGHING, "abortRollout", ABORT, ABORTED),
    Case(moments.SCALING, "promoteRollout", PROMOTE, at(1, "Paused")),
    Case(moments.SCALING, "abortRollout", ABORT, ABORTED),
    Case(moments.ANALYSIS, "promoteRollout", PROMOTE, at(2, "Paused")),
    Case(moments.ANALYSIS, "abortRollout", ABORT, ABORTED),
    Case(moments.TWO_ANALYSES, "promoteRollout", PROMOTE, at(2, "Progressing")),
    Case(moments.UNCLEAR_ANALYSIS, "promoteRollout", PROMOTE, at(2, "Paused")),
    Case(moments.UNCLEAR_ANALYSIS, "abortRollout", ABORT, ABORTED),
    Case(moments.BACKGROUND, "promoteRollout", PROMOTE, at(3, "Paused", "CanaryPauseStep")),
    Case(moments.EXPERIMENT, "promoteRollout", PROMOTE, at(2, "Paused")),
    Case(moments.EXPERIMENT, "abortRollout", ABORT, ABORTED),
    Case(moments.PREVIEW, "promoteRollout", PROMOTE, HEALTHY),
    Case(moments.PREVIEW, "promoteRolloutFull", IN_FULL, HEALTHY),
    Case(moments.PREVIEW, "abortRollout", ABORT, ABORTED),
    Case(moments.TIMED_PREVIEW, "promoteRolloutFull", IN_FULL, HEALTHY),
    Case(moments.ABORTED_CANARY, "retryRollout", RETRY, at(1, "Paused")),
    Case(moments.ABORTED_CANARY, "promoteRolloutFull", IN_FULL, HEALTHY),
    Case(moments.ABORTED_PREVIEW, "retryRollout", RETRY, at(None, "Paused")),
    Case(moments.HELD, "promoteRollout", PROMOTE, at(1, "Paused")),
    Case(moments.HELD_PAUSE, "promoteRolloutFull", IN_FULL, HEALTHY),
    Case(moments.PROMOTED, "undoRollout", UNDO, HEALTHY),
    Case(moments.PROMOTED, "undoRollout", (*UNDO, "--to-revision=1"), HEALTHY, {"toRevision": 1}),
    Case(moments.PROMOTED, "restartRollout", ("restart", NAME), HEALTHY),
    Case(moments.IDLE, "pauseRollout", ("pause", NAME), HELD),
    Case(moments.DEPLOYED, "promoteRollout", PROMOTE, HEALTHY),
    Case(moments.DEPLOYED, "undoRollout", UNDO, HEALTHY),
    Case(
        moments.DEPLOYED,
        "setRolloutImage",
        ("set", "image", NAME, f"*={RED}"),
        at(1, "Paused"),
        {**SET_RED, "container": "*"},
    ),
]
# Where others fail; each has a test of its own below.
APART = {
    moment.name: moment
    for moment in (
        moments.ANALYSIS,
        moments.EXPERIMENT,
        moments.FULL,
        moments.TWO_PAUSES,
        moments.ABORTED_CANARY,
        moments.TWO_EXPERIMENTS,
        moments.UNCLEAR_EXPERIMENT,
        moments.HELD_PAUSE,
        moments.TIMED_PREVIEW,
        moments.LABELLED,
        moments.PAUSED,
        moments.RELEASED,
        moments.TEMPLATED,
        moments.LESSENED,
        moments.ANALYSED,
    )
}


@dataclass(frozen=True)
class Stages:
    """All twins, at their moments."""

    cases: dict[str, Twins]
    apart: dict[str, Twins]

    def at(self, moment: Moment) -> Twins:
        """Those of a test of its own."""
        return self.apart[moment.name]


@pytest.fixture(scope="module")
def stages(fleet: Fleet) -> Iterator[Stages]:
    with metrics_server() as metrics:
        every = [*(case.moment for case in CASES), *APART.values()]
        pairs = list(reach(fleet["east"], every, metrics))
        cases, apart = pairs[: len(CASES)], pairs[len(CASES) :]
        yield Stages(
            dict(zip(map(str, CASES), cases, strict=False)),
            dict(zip(APART, apart, strict=True)),
        )
        leave(pairs)


@pytest.fixture(scope="module")
def hand(gateway: Gateway) -> Hand:
    return Hand(gateway)


def plugin(stage: Stage, *argv: str) -> str:
    return stage.spoke.plugin.run(*argv, namespace=stage.namespace)


def rollout_of(stage: Stage) -> Object:
    return stage.cluster.get("Rollout", NAME, stage.namespace)


def status_of(stage: Stage) -> Object:
    status: Object = rollout_of(stage)["status"]
    return status


@pytest.mark.parametrize("case", CASES, ids=str)
def test_an_action_is_the_plugins(case: Case, stages: Stages, hand: Hand) -> None:
    twins = stages.cases[str(case)]

    hand.act(twins.ours, case.ours, **case.input)
    plugin(twins.theirs, *case.theirs)

    twins.wait(case.until, str(case))
    twins.compare()


@pytest.mark.parametrize(
    ("moment", "what", "kind", "mutation"),
    [
        (moments.ANALYSIS, "analysisRuns", "AnalysisRun", "terminateAnalysisRun"),
        (moments.EXPERIMENT, "experiments", "Experiment", "terminateExperiment"),
    ],
)
def test_what_is_ended_ends_as_by_the_plugin(
    moment: Moment, what: str, kind: str, mutation: str, stages: Stages, hand: Hand
) -> None:
    twins = stages.at(moment)
    (their,) = twins.theirs.cluster.list(kind, twins.theirs.namespace)

    hand.act(twins.ours, mutation, id=hand.running(twins.ours, what))
    plugin(twins.theirs, "terminate", kind.lower(), their["metadata"]["name"])

    twins.wait(at(2, "Paused"), "the pause after it")
    twins.compare()


def test_an_abort_ends_a_full_promotion_that_the_plugins_does_not(
    stages: Stages, hand: Hand
) -> None:
    twins = stages.at(moments.FULL)

    hand.act(twins.ours, "abortRollout")
    plugin(twins.theirs, "abort", NAME)

    twins.ours.wait(ABORTED, "the abort")
    twins.theirs.settle()
    theirs = status_of(twins.theirs)
    assert (theirs.get("abort", False), theirs["promoteFull"]) == (False, True)
    assert theirs["phase"] == "Progressing"


def test_skipping_a_pause_leaves_the_next_one_that_argo_cds_skips_too(
    stages: Stages, hand: Hand
) -> None:
    twins = stages.at(moments.TWO_PAUSES)

    hand.act(twins.ours, "skipRolloutStep")
    # resource_customizations/argoproj.io/Rollout/actions/skip-current-step/action.lua
    body = {"status": {"pauseConditions": None, "currentStepIndex": 2}}
    twins.theirs.cluster.patch("Rollout", NAME, body, twins.theirs.namespace, sub="status")

    twins.ours.wait(at(2, "Paused"), "the second pause")
    twins.theirs.wait(HEALTHY, "the end, past a pause that nobody has ended")
    twins.ours.settle()
    assert status_of(twins.ours)["currentStepIndex"] == 2


def test_a_promotion_of_what_is_aborted_is_refused_where_the_plugin_claims_it(
    stages: Stages, hand: Hand
) -> None:
    twins = stages.at(moments.ABORTED_CANARY)

    error = hand.refused(twins.ours, "promoteRollout")
    said = plugin(twins.theirs, "promote", NAME)

    assert said == f"rollout '{NAME}' promoted\n"
    assert error["message"] == "the update is aborted: retry it first, or change the template"
    twins.wait(ABORTED, "the same as before")
    twins.compare()


def test_leaving_an_experiment_begins_the_next_one_where_the_plugin_goes_on_with_the_old(
    stages: Stages, hand: Hand
) -> None:
    twins = stages.at(moments.TWO_EXPERIMENTS)

    hand.act(twins.ours, "promoteRollout")
    plugin(twins.theirs, "promote", NAME)

    def second(found: Object) -> bool:
        name = found["status"]["canary"].get("currentExperiment", "")
        return found["status"]["currentStepIndex"] == 1 and bool(name.endswith("-1"))

    twins.ours.wait(second, "the second experiment")
    twins.theirs.settle()
    theirs = status_of(twins.theirs)
    assert theirs["currentStepIndex"] == 1
    assert theirs["canary"]["currentExperiment"].endswith("-0")


def test_an_experiment_without_a_verdict_is_left_where_the_plugin_only_repeats_it(
    stages: Stages, hand: Hand
) -> None:
    twins = stages.at(moments.UNCLEAR_EXPERIMENT)

    hand.act(twins.ours, "promoteRollout")
    plugin(twins.theirs, "promote", NAME)

    twins.ours.wait(at(2, "Paused", "CanaryPauseStep"), "the pause after it")
    twins.theirs.wait(lambda found: found["status"]["currentStepIndex"] == 0, "the same step")
    twins.theirs.wait_phase("Paused", "InconclusiveExperiment")


def test_promoting_in_a_pause_by_hand_ends_both_pauses(stages: Stages, hand: Hand) -> None:
    """The plugin sends the same in another order; whatever comes between decides."""
    twins = stages.at(moments.HELD_PAUSE)
    theirs = twins.theirs

    hand.act(twins.ours, "promoteRollout")
    theirs.cluster.patch(
        "Rollout", NAME, {"status": {"pauseConditions": None}}, theirs.namespace, sub="status"
    )
    theirs.wait(lambda found: not found["status"].get("controllerPause"), "a forgotten promotion")
    theirs.patch({"paused": False})

    twins.ours.wait(HEALTHY, "the end")
    theirs.wait(at(1, "Paused", "CanaryPauseStep"), "the same pause once more")


def test_a_preview_is_promoted_before_its_time_where_the_plugin_begins_it_anew(
    stages: Stages, hand: Hand
) -> None:
    twins = stages.at(moments.TIMED_PREVIEW)
    (before,) = status_of(twins.theirs)["pauseConditions"]

    hand.act(twins.ours, "promoteRollout")
    plugin(twins.theirs, "promote", NAME)

    twins.ours.wait(HEALTHY, "the promotion")

    def anew(found: Object) -> bool:
        pauses = found["status"].get("pauseConditions") or []
        return bool(pauses) and pauses[0]["startTime"] > before["startTime"]

    twins.theirs.wait(anew, "a pause that begins anew")


def test_an_undo_uses_the_old_revision_again_where_the_plugin_makes_another_one(
    stages: Stages, hand: Hand
) -> None:
    twins = stages.at(moments.LABELLED)

    hand.act(twins.ours, "undoRollout")
    plugin(twins.theirs, "undo", NAME)

    twins.ours.wait(HEALTHY, "the old revision")
    twins.theirs.wait(at(1, "Paused"), "a new one, from its first step")
    template = rollout_of(twins.theirs)["spec"]["template"]
    assert template["metadata"]["labels"]["role"] == "stable"


def test_a_full_promotion_of_an_unseen_template_waits_for_it_where_the_plugins_is_forgotten(
    fleet: Fleet, stages: Stages, hand: Hand
) -> None:
    twins = stages.at(moments.PAUSED)
    containers = [{"name": CONTAINER, "image": RED}]

    with stopped(fleet["east"].rollouts_controller), ThreadPoolExecutor() as pool:
        for stage in (twins.ours, twins.theirs):
            stage.patch({"template": {"spec": {"containers": containers}}})
        assert not observed(rollout_of(twins.ours))
        ours = pool.submit(hand.act, twins.ours, "promoteRolloutFull")
        plugin(twins.theirs, "promote", NAME, "--full")
        assert status_of(twins.theirs)["promoteFull"] is True
        assert not ours.done()
        fleet["east"].rollouts_controller.resume()
        ours.result(timeout=30)

    twins.ours.wait(HEALTHY, "the full promotion")
    twins.theirs.wait(at(1, "Paused"), "the first pause of the newest template")
    assert not status_of(twins.theirs).get("promoteFull")
    assert images(rollout_of(twins.ours)) == [RED]


@contextmanager
def stopped(process: Process) -> Iterator[None]:
    """A process that does nothing until it is resumed, at the latest at the end."""
    process.pause()
    try:
        yield
    finally:
        process.resume()


def test_an_undo_in_full_skips_the_steps_of_the_older_revision(stages: Stages, hand: Hand) -> None:
    twins = stages.at(moments.RELEASED)

    hand.act(twins.ours, "undoRollout", full=True)
    plugin(twins.theirs, "undo", NAME)

    twins.ours.wait(HEALTHY, "the older revision")
    twins.theirs.wait(at(1, "Paused"), "its first pause")
    assert images(rollout_of(twins.ours)) == [BLUE]


def test_a_pod_template_is_written_where_it_is(stages: Stages, hand: Hand) -> None:
    twins = stages.at(moments.TEMPLATED)

    with pytest.raises(PluginError, match="failed restoring revision"):
        plugin(twins.theirs, "undo", NAME)
    with pytest.raises(PluginError, match=r"deployments.apps \"workload\" not found"):
        plugin(twins.theirs, "set", "image", NAME, f"{CONTAINER}={RED}")

    hand.act(twins.ours, "setRolloutImage", **SET_RED)
    held = twins.ours.cluster.get("PodTemplate", "workload", twins.ours.namespace)
    assert images({"spec": held}) == [RED]
    hand.act(twins.ours, "undoRollout", toRevision=1)
    twins.ours.wait(HEALTHY, "the first revision")


def test_a_template_that_only_has_more_is_brought_back_where_the_plugin_skips_it(
    stages: Stages, hand: Hand
) -> None:
    twins = stages.at(moments.LESSENED)

    hand.act(twins.ours, "undoRollout")
    said = plugin(twins.theirs, "undo", NAME)

    assert said.startswith("skipped rollback")
    twins.ours.wait(HEALTHY, "the first revision")
    (container,) = rollout_of(twins.ours)["spec"]["template"]["spec"]["containers"]
    assert container["env"] == [{"name": "MORE", "value": "yes"}]


def test_a_jump_back_runs_the_steps_once_more(stages: Stages, hand: Hand) -> None:
    """Nobody else can jump; the other twin shows that nothing else happens meanwhile."""
    twins = stages.at(moments.ANALYSED)
    (first,) = names(twins.ours, "AnalysisRun")

    hand.act(twins.ours, "jumpToRolloutStep", toStepIndex=1, expectedStepIndex=2)

    def again(_: Object) -> bool:
        return len(names(twins.ours, "AnalysisRun")) == 2

    twins.ours.wait(again, "a second analysis")
    twins.ours.wait(at(2, "Paused"), "the pause after it")
    assert names(twins.theirs, "AnalysisRun") == [first]


def names(stage: Stage, kind: str) -> list[str]:
    return [item["metadata"]["name"] for item in stage.cluster.list(kind, stage.namespace)]


def images(holder: Object) -> list[str]:
    """The images of a template's containers."""
    return [item["image"] for item in holder["spec"]["template"]["spec"]["containers"]]
