"""One cluster: an API server, a controller-manager, a fake kubelet, the Rollouts controller."""

import re
import threading
from collections.abc import Sequence
from pathlib import Path

from testbed import flags
from testbed.audit import read_log, write_policy
from testbed.build import Built
from testbed.cluster import Cluster, Object
from testbed.errors import ProcessError
from testbed.install import install, wait_node
from testbed.plugin import Plugin
from testbed.ports import LOOPBACK, free_port, listening
from testbed.process import Process
from testbed.users import ADMIN, Access, TokenFile, write_kubeconfig

# It ends its watches at once, then waits up to a minute for connections that clients keep open.
STOP_APISERVER_SECONDS = 3.0
ROLLOUTS_READY = "Started rollout workers"  # in its log: all its informers are synced


class Spoke:
    """One control plane on loopback.

    Its files, logs and kubeconfigs are in ``folder``. ``start`` does all; ``launch``, ``install``
    and ``settle`` are its thirds, so that several spokes can start at the same time.
    """

    def __init__(
        self, name: str, built: Built, etcd_url: str, folder: Path, *, rollouts: bool = True
    ) -> None:
        """``rollouts=False``: a cluster where Argo Rollouts is not installed, nor its CRDs."""
        folder.mkdir(parents=True)
        self.name = name
        self.folder = folder
        self.has_rollouts = rollouts
        self.port = free_port()
        self.url = f"https://{LOOPBACK}:{self.port}"
        self.tokens = TokenFile(folder / "tokens.csv")
        write_policy(folder / "audit-policy.yaml")
        self._built = built
        self._clients: dict[str, Cluster] = {}
        self._lock = threading.Lock()
        self._kubelet_port = free_port()
        kubeconfig = self._controllers_kubeconfig
        self.apiserver = self._process(
            "kube-apiserver",
            flags.apiserver(name, self.port, etcd_url, folder),
        )
        self.controller_manager = self._process(
            "kube-controller-manager", flags.controller_manager(kubeconfig)
        )
        self.kwok = self._process(
            "kwok", flags.kwok(kubeconfig, self._kubelet_port, built.assets("stages"))
        )
        self.rollouts_controller = self._process(
            "rollouts-controller", flags.rollouts_controller(kubeconfig)
        )

    # -- its life ------------------------------------------------------------------------------

    def start(self) -> None:
        """Start everything and wait until it works: about 8 s."""
        self.launch()
        self.install()
        self.settle()

    def launch(self) -> None:
        """Start the API server without waiting for it."""
        self.apiserver.start()

    def install(self) -> None:
        """Wait for the API server, install what a cluster needs, start the controllers."""
        self.apiserver.wait_ready(self._apiserver_ready)
        admin = self.cluster()
        install(admin, self._built.assets("crds") if self.has_rollouts else ())
        write_kubeconfig(self._controllers_kubeconfig, {self.name: self.access(ADMIN)})
        for process in self.processes[1:]:
            process.start()

    def settle(self) -> None:
        """Wait until the controllers work."""
        self.kwok.wait_ready(lambda: listening(self._kubelet_port))
        wait_node(self.cluster())
        if self.has_rollouts:
            self.rollouts_controller.wait_ready(self._rollouts_ready)

    def stop(self) -> None:
        """Stop everything, controllers first, so that they do not complain about the API server."""
        for client in self._clients.values():
            client.close()
        self._clients.clear()
        for process in self.processes[::-1]:
            process.stop()

    @property
    def processes(self) -> list[Process]:
        """Its processes, in the order of their start."""
        always = [self.apiserver, self.controller_manager, self.kwok]
        return [*always, self.rollouts_controller] if self.has_rollouts else always

    # -- faults --------------------------------------------------------------------------------

    def stop_apiserver(self) -> None:
        """Stop the API server in order: it ends its watches and refuses new connections."""
        self.apiserver.stop(STOP_APISERVER_SECONDS)

    def kill_apiserver(self) -> None:
        """SIGKILL the API server: connections are reset."""
        self.apiserver.kill()

    def start_apiserver(self, *, restart_controllers: bool = True) -> None:
        """Start it again on the same port with the same certificate; it reads the tokens anew.

        The controllers would sit out their back-off of up to 30 s first, so they start anew too,
        unless ``restart_controllers`` is false.
        """
        self.apiserver.start(self._apiserver_ready)
        if restart_controllers:
            for process in self.processes[1:]:
                process.kill()
                process.start()
            self.settle()

    # -- access --------------------------------------------------------------------------------

    @property
    def ca(self) -> str:
        """The PEM text that the API server's certificate is verified by.

        Raises:
            ProcessError: the API server has not made its certificate yet.
        """
        path = self._certs / "apiserver.crt"
        if not path.exists():
            raise ProcessError(f"{path} does not exist yet: start the spoke {self.name} first")
        # kube-apiserver writes its own certificate first and the authority that signed it second.
        pattern = r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----\n"
        found: list[str] = re.findall(pattern, path.read_text(), re.DOTALL)
        return found[-1]

    def access(self, user: str = ADMIN) -> Access:
        """What a client of that user needs."""
        return Access(self.url, self.ca, user, self.tokens.token(user))

    def kubeconfig(self, user: str = ADMIN) -> Path:
        """A kubeconfig with one context, named after the spoke."""
        return write_kubeconfig(
            self.folder / f"kubeconfig-{user}.yaml", {self.name: self.access(user)}
        )

    def cluster(self, user: str = ADMIN) -> Cluster:
        """A client that calls as that user; closed with the spoke."""
        access = self.access(user)
        with self._lock:
            if access.token not in self._clients:
                self._clients[access.token] = Cluster(access.url, access.token, access.ca)
            return self._clients[access.token]

    @property
    def plugin(self) -> Plugin:
        """The kubectl plugin, called as the admin."""
        return Plugin(self._built.program("kubectl-argo-rollouts"), self.kubeconfig())

    def service_account_token(
        self,
        name: str,
        namespace: str = "default",
        seconds: int = 3600,
        audiences: Sequence[str] = (),
    ) -> str:
        """A bound token of a ServiceAccount, which is made if need be; 600 s at least.

        Without audiences it is meant for the API server itself.
        """
        admin = self.cluster()
        admin.apply(
            {
                "apiVersion": "v1",
                "kind": "ServiceAccount",
                "metadata": {"name": name, "namespace": namespace},
            }
        )
        answer = admin.request(
            "POST",
            f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token",
            body={
                "apiVersion": "authentication.k8s.io/v1",
                "kind": "TokenRequest",
                "spec": {"expirationSeconds": seconds, "audiences": list(audiences)},
            },
        )
        token: str = answer["status"]["token"]
        return token

    def add_user(self, user: str, *groups: str) -> str:
        """Give a user a (new) token; the API server knows it after its next start."""
        return self.tokens.add(user, groups)

    def remove_user(self, user: str) -> None:
        """Take a user's token away; the API server refuses it after its next start."""
        self.tokens.remove(user)

    def audit(self) -> list[Object]:
        """What others than the admin did, oldest first; written within a second."""
        return read_log(self.folder / "audit.log")

    def namespace(self, name: str) -> str:
        """Make a namespace if need be and return its name."""
        self.cluster().apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        return name

    # -- its parts -----------------------------------------------------------------------------

    @property
    def _certs(self) -> Path:
        return self.folder / "certs"

    @property
    def _controllers_kubeconfig(self) -> Path:
        return self.folder / "kubeconfig-controllers.yaml"

    def _process(self, program: str, argv: list[str]) -> Process:
        return Process(
            f"{program} of {self.name}",
            [self._built.program(program), *argv],
            self.folder / f"{program}.log",
        )

    # -- conditions ----------------------------------------------------------------------------

    def _apiserver_ready(self) -> str | None:
        # It listens only after it has made its certificate, which the client needs.
        if (reason := listening(self.port) or self.cluster().ready()) is not None:
            return reason
        # Made in the background, and tests use it.
        found = self.cluster().find("Namespace", "default")
        return None if found else "the namespace default does not exist yet"

    def _rollouts_ready(self) -> str | None:
        said = self.rollouts_controller.output()
        return None if ROLLOUTS_READY in said else f"its log does not say {ROLLOUTS_READY!r}"
