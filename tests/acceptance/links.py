"""Between the parts of a company: each way can be frozen, reset, slowed or torn by itself."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from testbed.cluster import RBAC, Cluster
from testbed.errors import ApiError
from testbed.fleet import Fleet
from testbed.ports import LOOPBACK
from testbed.spoke import Spoke
from testbed.toxiproxy import Link, Toxiproxy
from testbed.users import write_kubeconfig

# The service account that workers are on each spoke, and its ClusterRole of the testbed.
ACCOUNT, ROLE = "rollgraph-worker", "rollgraph-reader"


class Links:
    """Ways to the spokes, to Redis, and to gateways.

    Args:
        proxy: What makes them.
        fleet: The spokes.
        folder: Where the workers' kubeconfig goes.

    Attributes:
        spokes: From both workers to a spoke, by its name.
        redis: From a process to Redis, by the process's name.
        doors: From subscribers to a gateway, by its name.
        kubeconfig: For workers: it leads over these ways, and has a token that can be revoked.
    """

    def __init__(self, proxy: Toxiproxy, fleet: Fleet, folder: Path) -> None:
        self.spokes = {
            name: proxy.link(f"spoke-{name}", f"{LOOPBACK}:{spoke.port}")
            for name, spoke in fleet.spokes.items()
        }
        self.redis: dict[str, Link] = {}
        self.doors: dict[str, Link] = {}
        self.kubeconfig = folder / "kubeconfig-workers.yaml"
        self._proxy = proxy
        self._fleet = fleet
        self._tokens = {name: admit(spoke) for name, spoke in fleet.spokes.items()}
        self._write()

    def to_redis(self, name: str, url: str) -> str:
        """The URL under which the process of a name reaches a Redis."""
        link = self._proxy.link(f"redis-{name}", url.removeprefix("redis://"))
        self.redis[name] = link
        return f"redis://{LOOPBACK}:{link.port}"

    def to_gateway(self, name: str, url: str) -> str:
        """The URL under which subscribers reach a gateway."""
        link = self._proxy.link(f"door-{name}", url.removeprefix("http://"))
        self.doors[name] = link
        return f"http://{LOOPBACK}:{link.port}"

    def revoke(self, spoke: str) -> None:
        """The spoke does not know the workers' token any more; what is open stays so."""
        self._fleet[spoke].cluster().delete("ServiceAccount", ACCOUNT)

    def admits(self, spoke: str) -> bool:
        """Whether the spoke knows the workers' token."""
        access = self._fleet[spoke].access()
        client = Cluster(access.url, self._tokens[spoke], access.ca)
        try:
            client.request("GET", "/version")
        except ApiError as error:
            if error.status == 401:
                return False
            raise
        finally:
            client.close()
        return True

    def readmit(self, spoke: str) -> None:
        """The workers' kubeconfig has a good token again."""
        self._tokens[spoke] = admit(self._fleet[spoke])
        self._write()

    def all(self) -> list[Link]:
        """Every way."""
        return [*self.spokes.values(), *self.redis.values(), *self.doors.values()]

    def _write(self) -> None:
        contexts = {
            name: replace(
                spoke.access(),
                url=f"https://{LOOPBACK}:{self.spokes[name].port}",
                user=ACCOUNT,
                token=self._tokens[name],
            )
            for name, spoke in self._fleet.spokes.items()
        }
        write_kubeconfig(self.kubeconfig, contexts)


def admit(spoke: Spoke) -> str:
    """A token of the workers' service account, which may read what Rollgraph reads."""
    token = spoke.service_account_token(ACCOUNT)
    subject: dict[str, Any] = {"kind": "ServiceAccount", "name": ACCOUNT, "namespace": "default"}
    spoke.cluster().apply(
        {
            "apiVersion": RBAC,
            "kind": "ClusterRoleBinding",
            "metadata": {"name": ACCOUNT},
            "roleRef": {"apiGroup": RBAC.partition("/")[0], "kind": "ClusterRole", "name": ROLE},
            "subjects": [subject],
        }
    )
    return token
