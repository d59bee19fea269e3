"""A child process with a log file: started, waited for, stopped, killed, paused, restarted."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from testbed.deadline import wait_until
from testbed.errors import NotReachedError, ProcessError

LAUNCHER = Path(__file__).with_name("launcher.py")
START_SECONDS = 60.0  # kube-apiserver needs 3 s on an idle machine, ten times that on a busy one
STOP_SECONDS = 10.0  # after that SIGKILL: a test must not hang on a stuck child
LOG_LINES = 20

# The death signal of PR_SET_PDEATHSIG comes when the *thread* that forked ends, so every child is
# forked by this one thread, which lives as long as the interpreter.
_spawner = ThreadPoolExecutor(max_workers=1, thread_name_prefix="testbed-spawner")

Ready = Callable[[], str | None]
"""A readiness check: None when ready, else what is missing."""


class Process:
    """One program with fixed arguments; it may be started again after it was stopped or killed.

    The child dies with this Python process, even when that is killed by SIGKILL (Linux).
    """

    def __init__(
        self, name: str, argv: Sequence[str | Path], log: Path, env: Mapping[str, str] | None = None
    ) -> None:
        self.name = name
        self.argv = [str(a) for a in argv]
        self.log = log
        self._env = dict(env or {})
        self._child: subprocess.Popen[bytes] | None = None
        self._log_offset = 0

    @property
    def pid(self) -> int:
        """The child's process id.

        Raises:
            ProcessError: when it is not running.
        """
        if self._child is None or self._child.poll() is not None:
            raise ProcessError(f"{self.name} is not running: start it first; its log is {self.log}")
        return self._child.pid

    @property
    def running(self) -> bool:
        """Whether the child is alive; a paused child is."""
        return self._child is not None and self._child.poll() is None

    def start(self, ready: Ready | None = None, seconds: float = START_SECONDS) -> None:
        """Start the child and wait until ``ready`` returns None; a no-op when it runs already.

        Raises:
            ProcessError: it died or was not ready within ``seconds``; holds the log's last lines.
        """
        if not self.running:
            self._child = _spawner.submit(self._spawn).result()
        if ready is not None:
            self.wait_ready(ready, seconds)

    def wait_ready(self, ready: Ready, seconds: float = START_SECONDS) -> None:
        """Wait until ``ready`` returns None; see ``start``."""

        def check() -> str | None:
            if not self.running:
                raise self._failure(f"exited with status {self._exit_status()}")
            return ready()

        try:
            wait_until(check, seconds=seconds, what=f"{self.name} ready")
        except NotReachedError as e:
            raise self._failure(str(e)) from e

    def stop(self, seconds: float = STOP_SECONDS) -> None:
        """Ask the child to end (SIGTERM), insist after ``seconds`` (SIGKILL); reap it."""
        if self._child is None:
            return
        self._signal(signal.SIGCONT)  # a paused child would not see the SIGTERM
        self._signal(signal.SIGTERM)
        try:
            self._child.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
        self._child = None

    def kill(self) -> None:
        """End the child at once (SIGKILL) and reap it."""
        if self._child is None:
            return
        self._signal(signal.SIGKILL)
        self._child.wait()
        self._child = None

    def pause(self) -> None:
        """Freeze the child (SIGSTOP): its sockets stay open and nothing answers.

        Returns once it is frozen, all its threads included.
        """
        os.kill(self.pid, signal.SIGSTOP)
        # WNOWAIT leaves an exit status for Popen to find, should the child end instead.
        os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)

    def resume(self) -> None:
        """Undo ``pause`` (SIGCONT)."""
        os.kill(self.pid, signal.SIGCONT)

    def output(self) -> str:
        """What it has logged since its last start."""
        with self.log.open("rb") as log:
            log.seek(self._log_offset)
            return log.read().decode(errors="replace")

    def log_tail(self, lines: int = LOG_LINES) -> str:
        """The last ``lines`` lines of the log, over all starts."""
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def _spawn(self) -> subprocess.Popen[bytes]:
        argv = [sys.executable, "-I", "-S", str(LAUNCHER), str(os.getpid()), *self.argv]
        with self.log.open("ab") as log:
            self._log_offset = log.tell()
            return subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self._env},
                # Ctrl-C in a terminal goes to the whole process group: ours stops in order instead.
                start_new_session=True,
            )

    def _signal(self, number: signal.Signals) -> None:
        # Popen.send_signal polls first, so a recycled pid is never hit.
        if self._child is not None:
            with contextlib.suppress(ProcessLookupError):
                self._child.send_signal(number)

    def _exit_status(self) -> int | None:
        return self._child.returncode if self._child else None

    def _failure(self, what: str) -> ProcessError:
        return ProcessError(
            f"{self.name} failed: {what}\nlog {self.log} ends with:\n{self.log_tail()}"
        )
