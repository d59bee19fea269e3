"""Toxiproxy: connections that are cut, frozen, slowed and torn between parts that are both well."""

from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx2

from testbed.build import Built
from testbed.ports import LOOPBACK, free_port, listening
from testbed.process import Process

# A toxic is gone only once what it holds back has come through.
REQUEST_SECONDS = 30.0
BOTH_WAYS = ("upstream", "downstream")


class Link:
    """A way to somewhere, with its own port on loopback; `Toxiproxy.link` makes it.

    Attributes:
        port: Where it listens.
    """

    def __init__(self, proxy: "Toxiproxy", name: str, upstream: str) -> None:
        self.name = name
        self.port = free_port()
        self._proxy = proxy
        listen = f"{LOOPBACK}:{self.port}"
        proxy.ask("POST", "/proxies", {"name": name, "listen": listen, "upstream": upstream})

    def freeze(self) -> None:
        """Half-open: connections stay and are accepted, and nothing comes through either way."""
        self._poison("timeout", {"timeout": 0})

    def reset(self) -> None:
        """Each connection is reset (RST) with its next byte, and so is each new one."""
        self._poison("reset_peer", {"timeout": 0})

    def slow(self, milliseconds: int) -> None:
        """Everything takes that much longer, one way and the other."""
        self._poison("latency", {"latency": milliseconds, "jitter": milliseconds // 2})

    def tear(self, size: int = 1024) -> None:
        """Everything comes in pieces of some `size` bytes, with 1 ms in between."""
        self._poison("slicer", {"average_size": size, "size_variation": size // 2, "delay": 1000})

    def cut(self) -> None:
        """Every connection is closed, and no new one is accepted."""
        self._proxy.ask("POST", f"/proxies/{self.name}", {"enabled": False})

    def heal(self) -> None:
        """As if nothing had been; what has been frozen is closed."""
        for toxic in self._proxy.ask("GET", f"/proxies/{self.name}/toxics"):
            self._proxy.ask("DELETE", f"/proxies/{self.name}/toxics/{toxic['name']}")
        self._proxy.ask("POST", f"/proxies/{self.name}", {"enabled": True})

    def _poison(self, kind: str, attributes: dict[str, int]) -> None:
        for way in BOTH_WAYS:
            toxic = {"name": f"{kind}-{way}", "type": kind, "stream": way, "attributes": attributes}
            self._proxy.ask("POST", f"/proxies/{self.name}/toxics", toxic)


class Toxiproxy:
    """A running one; it ends with the ``with`` block, and all its links with it."""

    def __init__(self, built: Built, folder: Path) -> None:
        self._port = free_port()
        argv: list[str | Path] = [built.program("toxiproxy-server"), "-host", LOOPBACK]
        argv += ["-port", str(self._port)]
        self.process = Process("toxiproxy", argv, folder / "toxiproxy.log", {"LOG_LEVEL": "error"})
        self._client = httpx2.Client(
            base_url=f"http://{LOOPBACK}:{self._port}", timeout=REQUEST_SECONDS, trust_env=False
        )

    def __enter__(self) -> Self:
        self.process.start(lambda: listening(self._port))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._client.close()
        self.process.stop()

    def link(self, name: str, upstream: str) -> Link:
        """A way to `host:port`, of a name that no other has."""
        return Link(self, name, upstream)

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """What it answers. An answer that is none fails the test."""
        answer = self._client.request(method, path, json=body)
        answer.raise_for_status()
        return answer.json() if answer.content else None
