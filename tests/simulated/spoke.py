"""A simulated cluster in place of a spoke of the testbed: scenarios play on either."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from simulated.bare import NAME
from testbed.cluster import Cluster
from testbed.errors import ProcessError
from testbed.plugin import Plugin
from testbed.users import ADMIN, Access

TESTS = Path(__file__).parent.parent
STOP_SECONDS = 10


class SimulatedSpoke:
    """What scenarios and the contract ask of `testbed.spoke.Spoke`.

    Args:
        folder: Has its kubeconfig.
        token: May do everything.
        viewer: May read.
        plugin: The kubectl plugin's binary, if there is one.
    """

    def __init__(
        self, folder: Path, url: str, token: str, viewer: str, plugin: Path | None = None
    ) -> None:
        self.name = NAME
        self.url = url
        self.kubeconfig = folder / "kubeconfig.yaml"
        self._tokens = {ADMIN: token, "reader": viewer}
        self._plugin = plugin
        self._clients: dict[str, Cluster] = {}

    def access(self, user: str = ADMIN) -> Access:
        """What a client of that user needs; there is no TLS."""
        return Access(self.url, "", user, self._tokens[user])

    def cluster(self, user: str = ADMIN) -> Cluster:
        """A client that calls as that user."""
        if user not in self._clients:
            self._clients[user] = Cluster(self.url, self._tokens[user], "")
        return self._clients[user]

    @property
    def plugin(self) -> Plugin:
        """The real kubectl plugin on this cluster."""
        assert self._plugin is not None, "built by the testbed only"
        return Plugin(self._plugin, self.kubeconfig)

    def namespace(self, name: str) -> str:
        """Makes a namespace if need be."""
        self.cluster().apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        return name

    def close(self) -> None:
        """Gives the connections back."""
        for client in self._clients.values():
            client.close()


@contextmanager
def simulated_spoke(folder: Path, plugin: Path | None = None) -> Iterator[SimulatedSpoke]:
    """Runs one; it ends with the context, or with this process."""
    with subprocess.Popen(
        [sys.executable, "-m", "simulated.bare", str(folder)],
        cwd=TESTS,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            ready = child.stdout.readline()
            if not ready:
                raise ProcessError("the simulated cluster did not start")
            url, token, viewer = json.loads(ready)
            spoke = SimulatedSpoke(folder, url, token, viewer, plugin)
            yield spoke
            spoke.close()
        finally:
            child.stdin.close()
            child.wait(STOP_SECONDS)
