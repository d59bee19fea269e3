"""A fleet on loopback: one etcd and a spoke per cluster name."""

import contextlib
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from testbed.build import ensure_built
from testbed.errors import TestbedError
from testbed.etcd import Etcd
from testbed.process import Process
from testbed.spoke import Spoke
from testbed.users import ADMIN, write_kubeconfig
from testbed.workdir import Workdir

NAMES = ("east", "west")


class Fleet:
    """Control planes that live as long as a ``with`` block, or until ``close``.

    They end with this Python process in any case, even when it is killed.
    """

    def __init__(
        self, names: Sequence[str] = NAMES, *, without_rollouts: Sequence[str] = ()
    ) -> None:
        """``without_rollouts``: further spokes, where Argo Rollouts is not installed.

        Raises:
            BuildError, ToolchainError: the parts are not built yet and cannot be.
        """
        every = [*names, *without_rollouts]
        if not every or len(set(every)) != len(every):
            raise TestbedError(f"spokes need distinct names, at least one; got {every}")
        built = ensure_built()
        self._workdir = Workdir()
        self.folder = self._workdir.path
        self.built = built
        self.etcd = Etcd(built, self.folder)
        self.spokes = {
            name: Spoke(
                name,
                built,
                self.etcd.url,
                self.folder / name,
                rollouts=name not in without_rollouts,
            )
            for name in every
        }

    def start(self) -> Self:
        """Start everything: 2 spokes take about 10 s.

        Raises:
            ProcessError: a part did not become ready; nothing is left running.
        """
        try:
            self.etcd.start()
            for spoke in self.spokes.values():
                spoke.launch()
            for spoke in self.spokes.values():
                spoke.install()
            for spoke in self.spokes.values():
                spoke.settle()
            self.kubeconfig_of(ADMIN)  # `scripts/testbed status` of another shell points to it
        except BaseException:
            self.close()
            raise
        return self

    def close(self) -> None:
        """Stop everything and remove the folder."""
        for spoke in self.spokes.values():
            spoke.stop()
        self.etcd.stop()
        self._workdir.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __getitem__(self, name: str) -> Spoke:
        """The spoke of that name."""
        return self.spokes[name]

    @property
    def processes(self) -> list[Process]:
        """All processes, in the order of their start."""
        return [self.etcd.process, *(p for s in self.spokes.values() for p in s.processes)]

    @property
    def kubeconfig(self) -> Path:
        """The admin's kubeconfig: one context per spoke, named after it, the first one current."""
        return self.kubeconfig_of(ADMIN)

    def kubeconfig_of(self, user: str) -> Path:
        """A kubeconfig of that user (``admin``, ``reader``, ``nobody``), one context per spoke."""
        contexts = {name: spoke.access(user) for name, spoke in self.spokes.items()}
        name = "kubeconfig.yaml" if user == ADMIN else f"kubeconfig-{user}.yaml"
        return write_kubeconfig(self.folder / name, contexts)

    def compact_etcd(self) -> int:
        """Forget all history of all spokes, and return the revision of now.

        An API server still answers watches from its own cache of recent events. To see a 410
        (Expired), restart it after this: then a watch from an older resourceVersion is too old.
        """
        return self.etcd.compact()

    def keep_logs(self, target: Path) -> None:
        """Copy all logs to a folder that outlives the fleet: one folder per spoke."""
        for log in self.folder.rglob("*.log"):
            copy = target / log.relative_to(self.folder)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(log, copy)


@contextlib.contextmanager
def shared_fleet(names: Sequence[str] = NAMES) -> Iterator[Fleet]:
    """A running fleet for a session-scoped fixture; tests keep apart by namespaces.

    ::

        @pytest.fixture(scope="session")
        def fleet() -> Iterator[Fleet]:
            with shared_fleet() as fleet:
                yield fleet
    """
    with Fleet(names) as fleet:
        yield fleet
