"""A child is waited for, explained when it fails, stopped, and started again."""

import signal
import sys
from pathlib import Path

import pytest

from testbed.errors import ProcessError
from testbed.process import Process

SLEEPER = "import time; print('up', flush=True); time.sleep(600)"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEPER}"
BROKEN = "import sys; print('no such flag'); sys.exit(3)"


def process(code: str, folder: Path) -> Process:
    return Process("child", [sys.executable, "-c", code], folder / "child.log")


def is_up(child: Process) -> str | None:
    return None if "up" in child.output() else "it has not said so"


def test_start_stop_and_start_again(tmp_path: Path) -> None:
    child = process(SLEEPER, tmp_path)
    pids = []
    for _ in range(2):
        child.start(lambda: is_up(child))
        pids.append(child.pid)
        child.stop()
        assert not child.running

    assert pids[0] != pids[1]
    assert child.log_tail() == "up\nup"
    with pytest.raises(ProcessError, match="child is not running"):
        _ = child.pid


def test_a_child_that_ends_at_once_is_an_error_with_its_last_words(tmp_path: Path) -> None:
    with pytest.raises(ProcessError, match="exited with status 3") as failed:
        process(BROKEN, tmp_path).start(lambda: "never")

    assert "no such flag" in str(failed.value)
    assert str(tmp_path / "child.log") in str(failed.value)


def test_a_child_that_is_never_ready_is_an_error_with_the_reason(tmp_path: Path) -> None:
    child = process(SLEEPER, tmp_path)
    try:
        with pytest.raises(ProcessError, match="nobody listens"):
            child.start(lambda: "nobody listens", seconds=0.2)
    finally:
        child.kill()


def test_a_paused_child_can_be_stopped(tmp_path: Path) -> None:
    child = process(SLEEPER, tmp_path)
    child.start(lambda: is_up(child))
    child.pause()
    child.stop()

    assert not child.running


def test_a_child_that_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    child = process(STUBBORN, tmp_path)
    child.start(lambda: is_up(child))
    child.stop(seconds=0.1)

    assert not child.running


def test_stopping_what_died_already_is_fine(tmp_path: Path) -> None:
    child = process(SLEEPER, tmp_path)
    child.start(lambda: is_up(child))
    child._signal(signal.SIGKILL)
    child.stop()
    child.stop()

    assert not child.running
