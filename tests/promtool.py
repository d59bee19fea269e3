"""Prometheus's own judge of metrics, rules and queries."""

import subprocess
from pathlib import Path

from testbed.build import ensure_built
from testbed.parts import PROMTOOL


def promtool(*arguments: str | Path, given: str = "") -> str:
    """What `promtool` says; it fails the test with that if it finds anything wrong."""
    path = ensure_built([PROMTOOL]).program("promtool")
    done = subprocess.run(
        [path, *arguments], input=given, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr
