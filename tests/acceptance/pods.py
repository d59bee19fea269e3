"""What a Deployment of a cluster would run in a container, run as a process of this machine.

Arguments, environment and files are those of the cluster's objects, read back from its API server.
Other than in a container are the root of paths and the addresses to listen on, and for a pod's own
cluster its name, which no DNS knows here.
"""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2

from acceptance.gateway import ROLLGRAPH
from testbed.ports import free_port
from testbed.process import Process
from testbed.spoke import Spoke

ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
_OWN_CLUSTER = "https://kubernetes.default.svc"


class Container:
    """The one container of a Deployment's pods.

    Args:
        spoke: The cluster.
        namespace: The namespace of the Deployment.
        name: Its name.
        folder: Stands for the container's root.
    """

    def __init__(self, spoke: Spoke, namespace: str, name: str, folder: Path) -> None:
        self._spoke = spoke
        self._namespace = namespace
        self._root = folder
        found = spoke.cluster().get("Deployment", name, namespace)
        self.pod: dict[str, Any] = found["spec"]["template"]["spec"]
        (self._container,) = self.pod["containers"]
        self.port, self.metrics_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._mount()
        argv = [str(ROLLGRAPH), *map(self._here, self._container["args"])]
        self.process = Process(name, argv, folder / f"{name}.log", self._environment())

    def start(self) -> None:
        """Starts it, and waits until all its probes are content."""
        self.process.start(self._not_ready)

    def probe(self, name: str) -> str:
        """The path that a probe asks for."""
        path: str = self._container[name]["httpGet"]["path"]
        return path

    def _not_ready(self) -> str | None:
        for name in ("startupProbe", "livenessProbe", "readinessProbe"):
            try:
                answer = httpx2.get(f"{self.url}{self.probe(name)}", timeout=5)
            except httpx2.TransportError as error:
                return str(error)
            if answer.status_code != 200:
                return f"{name}: {answer.text}"
        return None

    def _environment(self) -> dict[str, str]:
        given = {entry["name"]: self._value(entry) for entry in self._container.get("env", ())}
        return given | {
            "ROLLGRAPH_HTTP__HOST": "127.0.0.1",
            "ROLLGRAPH_HTTP__PORT": str(self.port),
            "ROLLGRAPH_METRICS__PORT": str(self.metrics_port),
        }

    def _value(self, entry: dict[str, Any]) -> str:
        if "value" in entry:
            return str(entry["value"])
        of = entry["valueFrom"]["secretKeyRef"]
        return self._content("Secret", of["name"])[of["key"]].decode()

    def _mount(self) -> None:
        volumes = {volume["name"]: volume for volume in self.pod["volumes"]}
        for mount in self._container["volumeMounts"]:
            folder = self._root / mount["mountPath"].lstrip("/")
            folder.mkdir(parents=True)
            for name, content in self._files(volumes[mount["name"]]):
                (folder / name).write_text(self._here(content.decode()), "utf-8")
        if self.pod["automountServiceAccountToken"]:
            self._mount_token()

    def _mount_token(self) -> None:
        folder = self._root / ACCOUNT.lstrip("/")
        folder.mkdir(parents=True)
        account = self.pod["serviceAccountName"]
        token = self._spoke.service_account_token(account, self._namespace)
        (folder / "token").write_text(token, "utf-8")
        (folder / "ca.crt").write_text(self._spoke.ca, "utf-8")

    def _files(self, volume: dict[str, Any]) -> Iterator[tuple[str, bytes]]:
        for source in volume.get("projected", {}).get("sources", [volume]):
            if "configMap" in source:
                yield from self._content("ConfigMap", source["configMap"]["name"]).items()
            else:
                secret = source["secret"]
                yield from self._content(
                    "Secret", secret.get("secretName", secret.get("name"))
                ).items()

    def _content(self, kind: str, name: str) -> dict[str, bytes]:
        data: dict[str, str] = self._spoke.cluster().get(kind, name, self._namespace)["data"]
        if kind == "Secret":
            return {key: base64.b64decode(each) for key, each in data.items()}
        return {key: each.encode() for key, each in data.items()}

    def _here(self, text: str) -> str:
        """A text with paths, and its own cluster's name, as they are here."""
        for inside in ("/etc/rollgraph", ACCOUNT):
            text = text.replace(inside, f"{self._root}{inside}")
        return text.replace(_OWN_CLUSTER, self._spoke.url)
