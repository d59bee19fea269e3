"""The files of a release, made from this tree: they install, run, and say what is in them."""

import json
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest

from release import artifacts
from release.__main__ import made

pytestmark = [
    pytest.mark.looptime(False),
    pytest.mark.timeout(300),
    pytest.mark.conformance,  # npm describes its packages
]


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `scripts/release` makes; `made` has tried the wheel with uvx in an empty home."""
    folder = tmp_path_factory.mktemp("dist")
    where = subprocess.run(["uv", "cache", "dir"], check=True, capture_output=True, text=True)
    # What the tests themselves have fetched serves here as well.
    made(folder, cache=Path(where.stdout.strip()))
    return folder


def test_the_wheel_holds_graphiql_and_types_and_no_tests(dist: Path) -> None:
    (wheel,) = dist.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "rollgraph/server/static/graphiql/index.html" in names
    assert any(name.startswith("rollgraph/schema/") for name in names)
    assert {name.partition("/")[0] for name in names if ".dist-info/" not in name} == {"rollgraph"}


def test_the_sdist_holds_what_the_wheel_is_made_from_and_no_secret(dist: Path) -> None:
    (sdist,) = dist.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert "api/rollgraph/server/static/graphiql/index.html" in names
    assert {"hatch_build.py", "uv.lock", "PKG-INFO"} <= names
    assert not names & {"redis-password", "rollgraph.env"}


def test_the_bills_name_each_package_with_its_version(dist: Path) -> None:
    python, browser = (
        json.loads(p.read_text("utf-8")) for p in sorted(dist.glob("*.cdx.json"))[::-1]
    )
    for bill, one in ((python, "strawberry-graphql"), (browser, "graphiql")):
        assert bill["bomFormat"] == "CycloneDX"
        assert bill["metadata"]["component"]["version"] == artifacts.version_of(wheel_of(dist))
        found = {each["name"]: each["version"] for each in bill["components"]}
        assert found[one]
    # What only makes or tests it is not in it.
    assert not {"pytest", "mypy"} & {each["name"] for each in python["components"]}
    assert "esbuild" not in {each["name"] for each in browser["components"]}


def test_the_sums_are_those_of_the_files(dist: Path) -> None:
    command = ["sha256sum", "--check", "--strict", "SHA256SUMS"]
    done = subprocess.run(command, cwd=dist, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 4


def wheel_of(dist: Path) -> Path:
    """The wheel."""
    (wheel,) = dist.glob("*.whl")
    return wheel
