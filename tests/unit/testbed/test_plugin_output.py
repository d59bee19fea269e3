"""What the plugin printed of recorded rollouts is read in full, and nothing else is."""

from pathlib import Path

import pytest

from testbed.errors import PluginOutputError
from testbed.plugin_output import Image, TreeLine, parse_rollout
from testbed.record import DATA

OUTPUTS = sorted(DATA.glob("*.txt"))


def printed(name: str) -> str:
    return (DATA / f"{name}.txt").read_text()


@pytest.mark.parametrize("path", OUTPUTS, ids=[path.stem for path in OUTPUTS])
def test_every_recorded_output_is_read(path: Path) -> None:
    text = path.read_text()
    found = parse_rollout(text)

    lines = text.split("\n\n", 1)[1].splitlines()[1:]
    assert len(found.tree) == len(lines)
    assert found.tree[0].depth == 0
    assert found.tree[0].status == found.status
    # No line is more than one level below the line before it.
    assert all(b.depth <= a.depth + 1 for a, b in zip(found.tree, found.tree[1:], strict=False))


def test_a_paused_canary() -> None:
    found = parse_rollout(printed("guestbook--paused-at-20"))

    assert (found.icon, found.status, found.message) == ("॥", "Paused", "CanaryPauseStep")
    assert (found.strategy, found.step) == ("Canary", (1, 8))
    assert (found.set_weight, found.actual_weight) == (20, 20)
    assert found.images == (
        Image("argoproj/rollouts-demo:blue", ("stable",)),
        Image("argoproj/rollouts-demo:yellow", ("canary",)),
    )
    assert (found.desired, found.current, found.updated) == (5, 5, 1)
    assert (found.ready, found.available) == (5, 5)
    kinds = [line.kind for line in found.tree]
    assert (
        kinds
        == ["Rollout", "Revision", "ReplicaSet", "Pod", "Revision", "ReplicaSet"] + ["Pod"] * 4
    )
    assert found.tree[1] == TreeLine(1, "Revision", "revision:2", "", "", ())
    assert (found.tree[3].depth, found.tree[3].info) == (3, ("ready:1/1",))


def test_blue_green_has_neither_step_nor_weights() -> None:
    found = parse_rollout(printed("blue-green--aborted"))

    assert (found.strategy, found.step, found.set_weight) == ("BlueGreen", None, None)
    infos = [line.info for line in found.tree if line.kind == "ReplicaSet"]
    assert infos[0][0] == "preview"
    assert infos[0][1].startswith("delay:")
    assert infos[1] == ("stable", "active")


def test_an_experiment_with_its_replica_sets_and_its_analysis() -> None:
    found = parse_rollout(printed("experiment--experiment-runs"))

    assert found.images[0].tags == ("stable", "Σ:baseline")
    under = [(line.depth, line.kind) for line in found.tree[3:9]]
    assert under == [
        (2, "Experiment"),
        (3, "ReplicaSet"),
        (4, "Pod"),
        (3, "ReplicaSet"),
        (4, "Pod"),
        (3, "AnalysisRun"),
    ]
    assert found.tree[8].info == ("✔ 1",)


def test_a_job_under_its_analysis() -> None:
    found = parse_rollout(printed("analysis-job--paused-after-its-job"))

    jobs = [line for line in found.tree if line.kind == "Job"]
    assert [(j.depth, j.icon, j.status) for j in jobs] == [(3, "✔", "Successful")]


def test_nothing_runs() -> None:
    found = parse_rollout(printed("invalid--its-services-do-not-exist"))

    assert found.images == ()
    assert found.step is None
    assert found.message.startswith("InvalidSpec: ")
    assert len(found.tree) == 1


def test_restarts_are_kept() -> None:
    found = parse_rollout(printed("deadline--new-pods-crash"))

    pods = [line for line in found.tree if line.status == "CrashLoopBackOff"]
    assert [p.info for p in pods] == [("ready:0/1", "restarts:3")]


def test_a_message_of_several_lines() -> None:
    text = printed("guestbook--paused-at-20").replace("CanaryPauseStep", "one\n\ntwo")

    assert parse_rollout(text).message == "one\n\ntwo"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Strategy:", "Policy:  "),
        ("  SetWeight:     20", "  SetWeight:     x"),
        ("॥ Paused", "* Paused"),
        ("  Step:          1/8", "  Step:          one"),
        ("rollouts-demo:blue (stable)", "rollouts-demo:blue (stable"),
        ("Replicas:", "Copies:"),
        ("NAME ", "WHAT "),
        ("⧉ guestbook", "☂ guestbook"),
        ("├──#", "+--#"),
        ("ReplicaSet  ✔", "Pod         ✔"),
        ("revision:2     ", "revision 2     "),
    ],
)
def test_what_is_not_understood_is_an_error(old: str, new: str) -> None:
    text = printed("guestbook--paused-at-20")
    assert old in text

    with pytest.raises(PluginOutputError):
        parse_rollout(text.replace(old, new, 1))


def test_an_output_that_is_cut_off_is_an_error() -> None:
    text = printed("guestbook--paused-at-20")

    with pytest.raises(PluginOutputError, match="ends too soon"):
        parse_rollout(text[: text.index("Images:")])
