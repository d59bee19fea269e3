"""GitHub's workflows are well-formed, run our scripts, and let few others in."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from testbed.build import ensure_built
from testbed.parts import ACTIONLINT

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def read(name: str) -> dict[str, Any]:
    """A workflow."""
    found: dict[str, Any] = yaml.safe_load((ROOT / ".github/workflows" / name).read_text("utf-8"))
    return found


def steps() -> list[dict[str, Any]]:
    """Every step of every job."""
    jobs = [job for path in WORKFLOWS for job in read(path.name)["jobs"].values()]
    return [step for job in jobs for step in job["steps"]]


@pytest.mark.timeout(300)  # built when it is not there yet
def test_actionlint_finds_nothing() -> None:
    program = ensure_built([ACTIONLINT]).program("actionlint")
    # What else it would call, if it is there: the same result everywhere.
    command = [str(path) for path in (program, "-shellcheck=", "-pyflakes=", *WORKFLOWS)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_they_run_what_anybody_can_run() -> None:
    commands = {step["run"] for step in steps() if "run" in step}
    assert {".ci/run", "scripts/release"} <= commands
    assert all((ROOT / command).exists() for command in (".ci/run", "scripts/release"))


def test_actions_are_githubs_own_and_leave_no_credentials() -> None:
    used = [step for step in steps() if "uses" in step]
    assert used
    for step in used:
        assert step["uses"].startswith("actions/"), step
        if "checkout" in step["uses"]:
            assert step["with"]["persist-credentials"] is False


def test_a_job_may_read_and_little_else() -> None:
    for path in WORKFLOWS:
        assert read(path.name)["permissions"] == {"contents": "read"}
    jobs = read("release.yml")["jobs"]
    assert {name: job.get("permissions") for name, job in jobs.items()} == {
        "files": {"contents": "write"},
        "package": {"id-token": "write"},
        "image": {"contents": "read", "packages": "write"},
    }
