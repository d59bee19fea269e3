"""docker-compose.yml as Compose itself understands it, and its services run without containers."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from image.dockerfile import ROOT, Stage
from image.outside import Places, as_nobody
from testbed.build import ensure_built
from testbed.parts import COMPOSE

FILE = ROOT / "docker-compose.yml"


def model() -> dict[str, Any]:
    """What Compose makes of the file when no variable is set.

    Raises `CalledProcessError` for one that it refuses.
    """
    program = ensure_built([COMPOSE]).program("compose-config")
    done = subprocess.run(
        [program, "--format", "json", FILE],
        cwd=ROOT,
        env={},
        check=True,
        capture_output=True,
        text=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@dataclass(frozen=True)
class Outside:
    """This machine in place of containers.

    Attributes:
        places: What is called otherwise here: hosts, ports, folders.
        installed: What is /opt/rollgraph in the image.
        stage: The image, as the Dockerfile has it.
    """

    places: Places
    installed: Path
    stage: Stage

    @contextmanager
    def run(self, service: Mapping[str, Any], **more: str) -> Iterator["subprocess.Popen[bytes]"]:
        """Runs a service as it says, until the context is left; then it is told to stop.

        Args:
            more: Of its environment, what a container would be for.
        """
        ours = "build" in service
        env = {"PATH": os.environ["PATH"]}
        if ours:
            env = {k: self.places.of(v) for k, v in self.stage.env.items()}
        env |= {k: self.places.of(v) for k, v in service.get("environment", {}).items()} | more
        argv = self.places.words(self._words(service) if ours else service["command"])
        # Where PATH of the container would find it, which `setpriv` does not know.
        # Debian has haproxy where only root looks.
        found = shutil.which(argv[0], path=f"{env['PATH']}:/usr/sbin")
        assert found is not None, f"{argv[0]} is not on {env['PATH']}"
        with subprocess.Popen(
            [*(as_nobody() if ours else []), found, *argv[1:]],
            env=env,
            cwd="/",
            stdin=subprocess.PIPE if service.get("stdin_open") else subprocess.DEVNULL,
        ) as process:
            try:
                yield process
                process.terminate()
                process.wait(timeout=20)
            finally:
                process.kill()

    def _words(self, service: Mapping[str, Any]) -> Sequence[str]:
        entry = service.get("entrypoint") or self.stage.words("ENTRYPOINT")
        command = service.get("command") or self.stage.words("CMD")
        return [*entry, *command]

    def ill(self, service: Mapping[str, Any], **more: str) -> str | None:
        """What its health check says is wrong."""
        check = service.get("healthcheck", {}).get("test") or [
            "CMD",
            *self.stage.words("HEALTHCHECK"),
        ]
        argv = ["sh", "-c", check] if isinstance(check, str) else check[1:]
        env = {"PATH": f"{self.installed}/bin:{os.environ['PATH']}"}
        env |= {k: self.places.of(v) for k, v in service.get("environment", {}).items()} | more
        done = subprocess.run(
            self.places.words(argv), env=env, cwd="/", capture_output=True, text=True, check=False
        )
        return None if done.returncode == 0 else done.stdout + done.stderr or str(done.returncode)
