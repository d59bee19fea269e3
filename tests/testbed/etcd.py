"""One etcd for all spokes: each keeps its objects under its own prefix."""

from pathlib import Path

import httpx2

from testbed.build import Built
from testbed.ports import LOOPBACK, free_port
from testbed.process import Process

REQUEST_SECONDS = 30.0


class Etcd:
    """A single etcd member whose data is worth nothing: it never waits for the disk."""

    def __init__(self, built: Built, folder: Path) -> None:
        self.url = f"http://{LOOPBACK}:{free_port()}"
        peer = f"http://{LOOPBACK}:{free_port()}"
        self.process = Process(
            "etcd",
            [
                built.program("etcd"),
                "--name=testbed",
                f"--data-dir={folder / 'etcd'}",
                f"--listen-client-urls={self.url}",
                f"--advertise-client-urls={self.url}",
                f"--listen-peer-urls={peer}",
                f"--initial-advertise-peer-urls={peer}",
                f"--initial-cluster=testbed={peer}",
                "--unsafe-no-fsync",  # fsync is most of a write's time, and nothing here must last
                "--log-level=warn",
            ],
            folder / "etcd.log",
        )

    def start(self) -> None:
        """Start it and wait until it is healthy."""
        self.process.start(self._ready)

    def stop(self) -> None:
        """Stop it."""
        self.process.stop()

    def revision(self) -> int:
        """The store's newest revision: the resourceVersion of the newest write."""
        answer = self._post("/v3/kv/range", {"key": "AA==", "count_only": True})
        return int(answer["header"]["revision"])

    def compact(self) -> int:
        """Forget all history before now, and return the revision of now."""
        revision = self.revision()
        self._post("/v3/kv/compaction", {"revision": str(revision), "physical": True})
        return revision

    def _post(self, path: str, body: dict[str, object]) -> dict[str, dict[str, str]]:
        response = httpx2.post(self.url + path, json=body, timeout=REQUEST_SECONDS, trust_env=False)
        response.raise_for_status()
        answer: dict[str, dict[str, str]] = response.json()
        return answer

    def _ready(self) -> str | None:
        try:
            response = httpx2.get(f"{self.url}/health", timeout=2, trust_env=False)
        except httpx2.TransportError as e:
            return f"{self.url}/health does not answer: {e!r}"
        return None if response.is_success else f"{self.url}/health says {response.text}"
