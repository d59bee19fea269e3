"""`rollgraph doctor` on real control planes: what it says is what is so, and what to do helps."""

import subprocess
from pathlib import Path

import pytest
import yaml

from acceptance.gateway import ROLLGRAPH
from testbed.fleet import Fleet
from testbed.ports import free_port
from testbed.users import NOBODY, READER

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(120)]


def doctor(kubeconfig: Path, *flags: str) -> tuple[int, list[str]]:
    """Its status and its lines."""
    argv = [str(ROLLGRAPH), "doctor", "--kubeconfig", str(kubeconfig), *flags]
    ran = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    return ran.returncode, ran.stdout.splitlines()


def as_user(fleet: Fleet, folder: Path, user: str) -> Path:
    """The kubeconfig, with somebody else's token for each cluster."""
    content = yaml.safe_load(fleet.kubeconfig.read_text())
    for entry in content["users"]:
        spoke = next(spoke for name, spoke in fleet.spokes.items() if name in entry["name"])
        entry["user"] = {"token": spoke.access(user).token}
    path = folder / f"{user}.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


def test_all_is_well_where_all_is_allowed(fleet: Fleet) -> None:
    status, lines = doctor(fleet.kubeconfig)
    assert status == 0, lines
    assert lines[-1] == "all is well"
    assert [line.split(":")[0] for line in lines[:-1]] == [
        f"ok      cluster {name}" for name in ("east", "east", "west", "west")
    ]


def test_who_may_nothing_is_told_each_right(fleet: Fleet, tmp_path: Path) -> None:
    status, lines = doctor(as_user(fleet, tmp_path, NOBODY))
    assert status == 1
    assert (
        "FAILED  cluster east: may not list or watch rollouts.argoproj.io in all namespaces"
        " -> apply what `rollgraph spoke manifest` prints there"
    ) in lines


def test_who_may_only_read_is_told_what_acting_lacks(fleet: Fleet, tmp_path: Path) -> None:
    status, lines = doctor(as_user(fleet, tmp_path, READER))
    assert status == 1
    bad = [line for line in lines if line.startswith("FAILED  cluster east")]
    assert [line.partition(" -> ")[0] for line in bad] == [
        "FAILED  cluster east: may not create events in all namespaces"
    ]


def test_a_dead_cluster_and_a_dead_redis_are_a_line_each(fleet: Fleet, tmp_path: Path) -> None:
    content = yaml.safe_load(fleet.kubeconfig.read_text())
    for entry in content["clusters"]:
        if "west" in entry["name"]:
            entry["cluster"]["server"] = f"https://127.0.0.1:{free_port()}"
    path = tmp_path / "kubeconfig"
    path.write_text(yaml.safe_dump(content))
    status, lines = doctor(path, "--redis", f"redis://127.0.0.1:{free_port()}")
    assert status == 1
    west = [line for line in lines if "cluster west" in line]
    assert len(west) == 1
    assert "no connection" in west[0]
    assert west[0].endswith("look whether it runs, and whether a firewall or proxy is in between")
    assert any(line.startswith("FAILED  redis:") for line in lines)
    assert lines[-1] == "2 to mend, 0 to look at"
