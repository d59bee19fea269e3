"""`rollgraph watch` as a process."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from demos import MAIN
from testbed.deadline import wait_until


class Watch:
    """A running `rollgraph watch`."""

    def __init__(self, popen: "subprocess.Popen[str]") -> None:
        self.popen = popen
        self.lines: list[str] = []
        self.said: list[str] = []
        self._readers = [
            threading.Thread(target=self._read, args=pair)
            for pair in ((popen.stdout, self.lines), (popen.stderr, self.said))
        ]
        for reader in self._readers:
            reader.start()

    def shows(self, *texts: str) -> None:
        """Waits for a line with all these."""
        _wait_for(self.lines, texts)

    def says(self, text: str) -> None:
        """Waits for a line on standard error."""
        _wait_for(self.said, (text,))

    def end(self) -> int:
        """Waits for its end; the exit status."""
        status = self.popen.wait(60)
        for reader in self._readers:
            reader.join()
        return status

    @staticmethod
    def _read(stream: IO[str], lines: list[str]) -> None:
        with stream:
            # Not a list of all: who waits for a line sees each as it comes.
            for line in stream:
                lines.append(line)  # noqa: PERF402


@contextmanager
def watch(url: str, *words: str) -> Iterator[Watch]:
    environ = {name: text for name, text in os.environ.items() if not name.startswith("ROLLGRAPH_")}
    popen = subprocess.Popen(
        [sys.executable, "-c", MAIN, "watch", *words, "--server", url],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environ,
    )
    try:
        yield Watch(popen)
    finally:
        popen.kill()
        popen.wait()


def _wait_for(lines: list[str], texts: tuple[str, ...]) -> None:
    def check() -> str | None:
        found = any(all(text in line for text in texts) for line in [*lines])
        return None if found else "".join(lines)

    wait_until(check, seconds=60, what=f"a line has {', '.join(texts)}")
