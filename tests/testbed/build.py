"""Build what is missing into the cache; reuse what is there."""

import contextlib
import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from testbed.errors import BuildError
from testbed.parts import EVERYTHING, PARTS, Part, Program
from testbed.toolchain import find_go

CACHE_VARIABLE = "ROLLGRAPH_TESTBED_CACHE"
ERROR_LINES = 30  # of the compiler's output, the end is what matters
TICK_SECONDS = 1.0


@dataclass(frozen=True)
class Built:
    """Where the built programs and the files beside them are."""

    root: Path

    def program(self, name: str) -> Path:
        """The path of a binary, such as ``kube-apiserver``."""
        part = next(p for p in EVERYTHING if any(q.name == name for q in p.programs))
        return self.root / part.key / "bin" / name

    def assets(self, name: str) -> list[Path]:
        """The files of a folder that a part brings, such as ``crds`` or ``stages``; sorted."""
        part = next(p for p in EVERYTHING if name in p.assets)
        return sorted((self.root / part.key / name).iterdir())


def cache_dir() -> Path:
    """``$ROLLGRAPH_TESTBED_CACHE``, by default ``~/.cache/rollgraph/testbed``."""
    if path := os.environ.get(CACHE_VARIABLE):
        return Path(path).absolute()
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "rollgraph" / "testbed"


def missing(parts: Sequence[Part] = PARTS) -> list[Part]:
    """The parts that are not in the cache yet."""
    return [p for p in parts if not (cache_dir() / p.key).is_dir()]


def left_over() -> list[Path]:
    """Builds in the cache that no part of this source tree uses; another one may."""
    if not cache_dir().is_dir():
        return []
    used = {part.key for part in EVERYTHING}
    return sorted(p for p in cache_dir().iterdir() if p.is_dir() and p.name not in used)


def ensure_built(parts: Sequence[Part] = PARTS) -> Built:
    """Build the missing parts: about 10 min on 2 cores at first, nothing when all is cached.

    Safe to call from several processes at once: one builds, the others wait for it.

    Raises:
        BuildError: with the end of the compiler's output.
        ToolchainError: no Go that is new enough.
    """
    root = cache_dir()
    if missing(parts):
        root.mkdir(parents=True, exist_ok=True)
        go = find_go(max(p.go_version for p in parts))
        with _lock(root):
            for part in missing(parts):
                _build_part(go, part, root)
    return Built(root)


@contextlib.contextmanager
def _lock(root: Path) -> Iterator[None]:
    with (root / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say(f"another process builds the testbed into {root}: waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield  # closing the file gives the lock back, and so does dying


def _build_part(go: Path, part: Part, root: Path) -> None:
    # A sibling of its final place, so that the rename is atomic; a half-built part never shows.
    with tempfile.TemporaryDirectory(prefix=f"{part.name}-building-", dir=root) as scratch:
        target = Path(scratch) / part.key
        (target / "bin").mkdir(parents=True)
        for program in part.programs:
            _build_program(go, part, program, target / "bin" / program.name)
        _copy_assets(go, part, target)
        target.rename(root / part.key)


def _build_program(go: Path, part: Part, program: Program, output: Path) -> None:
    label = f"building {program.name} {part.version} (about {program.minutes:g} min on 2 cores)"
    flags = ["-ldflags", part.ldflags, "-tags", part.tags, "-o", str(output)]
    argv = [str(go), "build", *flags, program.package]
    with tempfile.TemporaryFile() as log:
        child = subprocess.Popen(
            argv, cwd=part.folder, env=_go_env(), stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
        status = _watch(child, label)
        if status != 0:
            log.seek(0)
            tail = log.read().decode(errors="replace").splitlines()[-ERROR_LINES:]
            raise BuildError(_explain(part, program, go, status, tail))


def _watch(child: subprocess.Popen[bytes], label: str) -> int:
    """Wait for a build and show how long it has run; it ends when we are interrupted."""
    started = time.monotonic()
    tty = sys.stderr.isatty()
    if not tty:
        _say(f"{label} ...")
    try:
        while True:
            with contextlib.suppress(subprocess.TimeoutExpired):
                status = child.wait(TICK_SECONDS)
                break
            if tty:
                _say(f"\r{label} ... {_elapsed(started)}", end="")
    except BaseException:
        child.terminate()
        child.wait()
        raise
    verdict = "done" if status == 0 else "failed"
    _say(f"{chr(13) if tty else ''}{label} ... {verdict} in {_elapsed(started)}")
    return status


def _copy_assets(go: Path, part: Part, target: Path) -> None:
    if not part.assets:
        return
    # A part without programs has not been downloaded yet.
    argv = [str(go), "mod", "download", "-json", part.module]
    done = subprocess.run(argv, cwd=part.folder, env=_go_env(), capture_output=True, text=True)
    if done.returncode != 0:
        raise BuildError(f"cannot get {part.module} {part.version}: {done.stderr or done.stdout}")
    source = Path(json.loads(done.stdout)["Dir"])
    for folder, globs in part.assets.items():
        (target / folder).mkdir()
        for pattern in globs:
            for path in source.glob(pattern):
                # copyfile: the module cache is read-only, and so would be a copy with its mode.
                shutil.copyfile(path, target / folder / path.name)


def _explain(part: Part, program: Program, go: Path, status: int, tail: list[str]) -> str:
    return (
        f"{program.name} {part.version} did not build: "
        f"'{go} build {program.package}' in {part.folder} ended with status {status}.\n"
        + "\n".join(tail)
        + "\nA download that failed: check that the Go module proxy (go env GOPROXY) can be "
        "reached. No space: free some in the Go build cache (go env GOCACHE) or in "
        f"{cache_dir()}. Then run 'scripts/testbed build' again: it goes on where it stopped."
    )


def _go_env() -> dict[str, str]:
    return {
        **os.environ,
        "GOTOOLCHAIN": "local",
        "CGO_ENABLED": "0",  # no C compiler needed, and static binaries
        "GOWORK": "off",
        "GOFLAGS": "-mod=readonly",
    }


def _elapsed(started: float) -> str:
    minutes, seconds = divmod(int(time.monotonic() - started), 60)
    return f"{minutes}m{seconds:02}s"


def _say(text: str, end: str = "\n") -> None:
    print(text, end=end, file=sys.stderr, flush=True)
