"""Where the commands of the documents can be typed: a demo, and files as pages have them."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2

from contract.servers import RedisServer
from demos import MAIN, Demo, demo, wait
from documents.shell import DOCUMENTS, FENCE, ROOT

# Names of clusters in the documents, and which of the demo's stands for each.
_CLUSTERS = {"prod-eu": "eu-west", "prod-us": "us-east"}
_FILES = {
    "persisted-documents.json": ROOT / "tests" / "data" / "documents" / "apollo-manifest.json"
}
# Seconds until a command has to be done, or a server has to serve, on a busy machine.
PATIENCE = 60.0
_RELEASE = """
mutation Release($key: RolloutKeyInput!) {
  setRolloutImage(input: {rollout: {key: $key}, container: "*", image: "shop:2.1.0"}) { applied }
}
"""
_ARGOCD = """
apiVersion: v1
kind: ConfigMap
metadata: {name: argocd-rbac-cm, namespace: argocd}
data:
  policy.csv: |
    p, role:team, applications, action/argoproj.io/Rollout/*, my-project/*, allow
    g, my-team, role:team
"""


class Bench:
    """A folder and an environment.

    Attributes:
        folder: Where commands are run; the home is in it.
        url: Of the Rollgraph that they ask.
        redis: Of the Redis that they are given.
    """

    def __init__(self, folder: Path, url: str, redis: str) -> None:
        self.folder = folder
        self.url = url.removesuffix("/graphql")
        self.redis = redis
        scripts = Path(sys.executable).parent
        self._env = {
            "HOME": str(folder),
            "PATH": f"{scripts}:{os.environ['PATH']}",
            "ROLLGRAPH_SERVER": self.url,
            "TERM": "dumb",
        }

    def here(self, command: str) -> str:
        """A command as it stands in a document, as it can be given here.

        `uv run` would set up the environment in which the tests run; it is that of the commands
        anyway. Ports are any free ones, nobody waits for half an hour, and no fleet is that large.
        """
        text = re.sub(r"^uv run (--no-dev )?", "", command)
        text = re.sub(r"^scripts/serve\b", "rollgraph serve", text)
        text = re.sub(r"\bFILE\b", "clusters.yaml", text)
        text = re.sub(r"http://127\.0\.0\.1:8000|\blocalhost:8000", self.url, text)
        text = re.sub(r"redis://redis:6379", self.redis, text)
        text = re.sub(r"--timeout \d+m", "--timeout 2s", text)
        text = re.sub(r"--rollouts \d{4}", "--rollouts 300", text)
        if re.match(r"rollgraph (serve|worker|gateway|demo)\b", text):
            text = re.sub(r" --port \d+", "", text) + " --port 0"
        return text

    def send(self, body: str) -> None:
        """Asks what a page shows in the form in which it is sent."""
        headers = {"Content-Type": "application/json"}
        answer = httpx2.post(
            f"{self.url}/graphql", content=body, headers=headers, trust_env=False
        ).json()
        assert "errors" not in answer, answer

    def run(self, command: str) -> "subprocess.CompletedProcess[str]":
        """Lets it do what it does."""
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", self.here(command)],
            cwd=self.folder,
            env=self._env,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )

    def begin(self, command: str, sign: str) -> tuple[str, int]:
        """Runs one that goes on, until a line has the sign, and then tells it to end.

        Returns what it has said, and its status.
        """
        said: list[str] = []
        argv = ["bash", "-c", f"exec {self.here(command)}"]
        with subprocess.Popen(
            argv,
            cwd=self.folder,
            env=self._env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as popen:
            late = threading.Timer(PATIENCE, popen.kill)
            late.start()
            try:
                assert popen.stdout is not None
                for line in popen.stdout:
                    said.append(line)
                    if re.search(sign, line):
                        popen.send_signal(signal.SIGINT)
                said.append("")
                status = popen.wait()
            finally:
                late.cancel()
                popen.kill()
        return "".join(said), status


@contextmanager
def bench(folder: Path) -> Iterator[Bench]:
    """One where a new version of `checkout` waits, in a cluster with two names."""
    redis = RedisServer(folder)
    redis.start()
    try:
        with demo("--rate", "0") as simulated:
            simulated.serving()
            _furnish(folder, kubeconfig(simulated))
            with _serving(folder) as served:
                _release(served)
                yield Bench(folder, served.url, redis.url)
    finally:
        redis.stop()


def kubeconfig(simulated: Demo) -> dict[str, Any]:
    """The demo's, with the clusters of the documents besides."""
    (path,) = re.findall(r"--kubeconfig (\S+)", "".join(simulated.said))
    found: dict[str, Any] = json.loads(Path(path).read_text("utf-8"))
    contexts = {each["name"]: each["context"] for each in found["contexts"]}
    found["contexts"] += [
        {"name": name, "context": contexts[cluster]} for name, cluster in _CLUSTERS.items()
    ]
    return found


def _furnish(folder: Path, clusters: dict[str, Any]) -> None:
    """Has the files of which the documents speak, as they show them."""
    for name in ("clusters.yaml", ".kube/config"):
        file = folder / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps(clusters), "utf-8")
    for name, source in _FILES.items():
        shutil.copy(source, folder / name)
    (folder / "rbac.yaml").write_text(_ARGOCD, "utf-8")
    for name in ("docs/reference", "schema"):
        (folder / name).mkdir(parents=True)
    (policy,) = (
        block
        for document in DOCUMENTS
        for language, block in FENCE.findall(document.read_text("utf-8"))
        if language == "csv"
    )
    (folder / "policy.csv").write_text(policy, "utf-8")


@contextmanager
def _serving(folder: Path) -> Iterator[Demo]:
    """`rollgraph serve` over these clusters; its log is where the documents look for it."""
    flags = ["--kubeconfig", "clusters.yaml", "--audit-file", "audit.jsonl", "--port", "0"]
    with subprocess.Popen(
        [sys.executable, "-c", MAIN, "serve", *flags],
        cwd=folder,
        stderr=subprocess.PIPE,
        text=True,
    ) as popen:
        try:
            served = Demo(popen)
            served.serving()
            (folder / "rollgraph.log").write_text('{"event": "serving"}\n', "utf-8")
            yield served
        finally:
            popen.kill()


def _release(served: Demo) -> None:
    states = "{ clusters { nodes { connection { status } } } }"

    def connected() -> bool:
        found = served.ask(states)["clusters"]["nodes"]
        return len(found) == 5 and all(
            each["connection"]["status"] == "CONNECTED" for each in found
        )

    wait(connected, "all clusters are connected")
    key = {"cluster": "eu-west", "namespace": "shop", "name": "checkout"}
    assert served.ask(_RELEASE, key=key)["setRolloutImage"]["applied"]
