"""The import rules hold, and each of them would be missed: broken on purpose, it fails."""

import ast
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# Without the `site` module, whose .pth files would add the real tree to the copy's namespace.
LINT = """
import sys
sys.path[:] = ["api", "schema", *sys.argv[1:2], *sys.path]
from importlinter.cli import lint_imports
sys.exit(lint_imports(limit_to_contracts=tuple(sys.argv[2:]), no_cache=True))
"""

BREAKS = [
    ("layers", "api/rollgraph/core/phase.py", "import rollgraph.ports"),
    ("layers", "api/rollgraph/ports/__init__.py", "import rollgraph.spokes.backoff"),
    ("layers", "api/rollgraph/spokes/backoff.py", "import rollgraph.schema.errors"),
    ("layers", "schema/rollgraph/schema/errors.py", "import rollgraph.adapters.clock"),
    ("layers", "api/rollgraph/feed/follower.py", "import rollgraph.spokes.backoff"),
    ("layers", "api/rollgraph/adapters/clock.py", "import rollgraph.server.settings"),
    ("layers", "api/rollgraph/simulation/timers.py", "import rollgraph.spokes.backoff"),
    # A folder that no layer names: nobody has said what it may import.
    ("layers", "api/rollgraph/utils/__init__.py", ""),
    ("pure-core", "api/rollgraph/core/phase.py", "import asyncio"),
    ("pure-core", "api/rollgraph/ports/__init__.py", "import strawberry"),
    ("one-door", "api/rollgraph/spokes/backoff.py", "import kubernetes_asyncio"),
    ("one-door", "api/rollgraph/server/health.py", "from aiohttp import web"),
    ("one-door", "schema/rollgraph/schema/errors.py", "import aiohttp"),
    ("one-door", "api/rollgraph/access/rights.py", "import casbin"),
    ("one-door", "api/rollgraph/server/health.py", "import prometheus_client"),
    ("one-door", "api/rollgraph/feed/follower.py", "import opentelemetry.trace"),
    ("pure-core", "api/rollgraph/core/rbac/rulebook.py", "import re2"),
    ("pure-controller", "api/rollgraph/simulation/controller/facts.py", "import anyio"),
    ("adapters-apart", "api/rollgraph/adapters/clock.py", "import rollgraph.adapters.memory"),
]


def lint(folder: Path, *contracts: str) -> "subprocess.CompletedProcess[str]":
    packages = str(Path(pytest.__file__).parent.parent)
    return subprocess.run(
        [sys.executable, "-S", "-c", LINT, packages, *contracts],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the tree that may be spoilt."""
    for name in ("api", "schema"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_all_contracts_hold(copy: Path) -> None:
    done = lint(copy)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(("contract", "module", "line"), BREAKS)
def test_a_broken_contract_is_noticed(copy: Path, contract: str, module: str, line: str) -> None:
    path = copy / module
    path.parent.mkdir(exist_ok=True)
    before = path.read_text("utf-8") if path.exists() else ""
    path.write_text(f"{before}\n{line}\n", "utf-8")
    done = lint(copy, contract)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "0 kept, 1 broken" in done.stdout or "exhaustive" in done.stdout, done.stdout


def test_each_contract_is_broken_above() -> None:
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    contracts = pyproject["tool"]["importlinter"]["contracts"]
    assert {contract["id"] for contract in contracts} == {name for name, _, _ in BREAKS}


def modules() -> list[Path]:
    return [path for name in ("api", "schema") for path in (ROOT / name).rglob("*.py")]


def test_the_namespace_has_no_init() -> None:
    # With one, the two source roots would no longer be one package.
    assert not (ROOT / "api/rollgraph/__init__.py").exists()
    assert not (ROOT / "schema/rollgraph/__init__.py").exists()


def test_each_module_says_what_it_is() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in modules()
        if (text := path.read_text("utf-8")).strip() and not ast.get_docstring(ast.parse(text))
    ]
    assert silent == []
