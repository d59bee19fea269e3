"""`rollgraph watch` as a process, beside somebody who acts on the demo's rollouts."""

import contextlib
import fcntl
import json
import os
import pty
import signal
import socket
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from demos import MAIN, Demo, demo
from integration.server.test_acting_in_the_demo import Person
from integration.server.watching import watch

pytestmark = [pytest.mark.looptime(False), pytest.mark.timeout(180)]

PAYMENTS, CHECKOUT = "eu-west/payments/payments", "eu-west/shop/checkout"


@pytest.fixture(scope="module")
def running_demo() -> Iterator[Demo]:
    """One in which nothing happens by itself."""
    with demo("--rate", "0", "--spokes", "1") as running:
        running.serving()
        assert running.popen.stderr is not None
        # A line for each request: unread, they would fill the pipe, and stop who writes them.
        reader = threading.Thread(target=running.popen.stderr.read)
        reader.start()
        yield running
        running.popen.kill()
        reader.join()


@pytest.fixture
def url(running_demo: Demo) -> str:
    """Where it is."""
    return running_demo.url


@pytest.fixture(scope="module")
def person(running_demo: Demo) -> Person:
    """Somebody who acts."""
    someone = Person(running_demo)
    for name in ("checkout", "payments"):
        someone.reach(name, phase="HEALTHY")
    return someone


def test_a_new_image_walks_to_healthy(url: str, person: Person) -> None:
    words = (PAYMENTS, "--until", "healthy", "--image", "payments:9.9.9", "--timeout", "2m")
    with watch(url, *words) as running:
        # It is Healthy, but with the image before.
        running.shows(PAYMENTS, "Healthy")
        person.act("setRolloutImage", "payments", container="*", image="payments:9.9.9")
        running.shows("Paused", "step 1/6", "canary 25 %")
        person.act("promoteRolloutFull", "payments")
        assert running.end() == 0
    assert "Healthy" in running.lines[-1]
    assert running.said[-1] == f"rollgraph: {PAYMENTS} is Healthy\n"
    assert not [line for line in running.lines if "\x1b" in line]


def test_an_abort_fails_the_wait_and_the_retry_succeeds(url: str, person: Person) -> None:
    person.act("setRolloutImage", "checkout", container="*", image="shop:9.9.9")
    person.reach("checkout", phase="PAUSED", currentStepIndex=1)
    with watch(url, CHECKOUT, "--until", "healthy", "--json") as running:
        running.shows('"PAUSED"')
        person.act("abortRollout", "checkout")
        assert running.end() == 1
    told: list[dict[str, Any]] = [json.loads(line) for line in running.lines]
    assert [line["rollout"]["phase"] for line in told if "rollout" in line][-1] == "DEGRADED"
    assert (told[-1]["result"], told[-1]["exitCode"]) == ("FAILED", 1)
    assert "is aborted: RolloutAborted" in told[-1]["message"]
    person.act("retryRollout", "checkout")
    person.act("promoteRolloutFull", "checkout")
    with watch(url, "*/shop/*", "--filter", "image=shop:*", "--until", "healthy") as running:
        assert running.end() == 0


def test_a_wait_that_takes_too_long_says_what_is_missing(url: str, person: Person) -> None:
    with watch(url, "eu-west/shop/nothing", "--until", "healthy", "--timeout", "1s") as running:
        assert running.end() == 124
    assert running.said == [
        "rollgraph: eu-west/shop/nothing is not there, or not shown to you: waiting for it\n",
        "rollgraph: timed out after 1 s: eu-west/shop/nothing is not there\n",
    ]


@pytest.mark.skipif(
    signal.getsignal(signal.SIGINT) is signal.SIG_IGN,
    reason="these tests run in the background, where Ctrl-C is ignored, and so do their processes",
)
def test_ctrl_c_ends_it_without_a_traceback(url: str, person: Person) -> None:
    with watch(url) as running:
        running.shows("payments")
        running.popen.send_signal(signal.SIGINT)
        assert running.end() == 130
    assert running.said == []


def test_a_reader_that_goes_away_ends_it_without_a_traceback(url: str, person: Person) -> None:
    words = [sys.executable, "-c", MAIN, "watch", "--json", "--server", url]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as popen:
        assert popen.stdout is not None
        assert popen.stderr is not None
        popen.stdout.readline()
        popen.stdout.close()
        person.act("restartRollout", "payments")
        assert popen.wait(60) == 141
        assert popen.stderr.read() == b""


def test_at_a_terminal_it_is_a_picture_that_leaves_the_cursor_as_it_was(
    url: str, person: Person
) -> None:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
    environ = {**os.environ, "TERM": "xterm-256color"}
    words = [sys.executable, "-c", MAIN, "watch", CHECKOUT, "--timeout", "3s", "--server", url]
    with subprocess.Popen(words, stdout=theirs, stderr=theirs, env=environ) as popen:
        os.close(theirs)
        seen = b"".join(_all_of(ours)).decode()
        assert popen.wait(60) == 124
    os.close(ours)
    assert "setWeight: 20" in seen
    assert seen.count("0:0") > 5  # it is drawn again and again
    assert "\x1b[1A" in seen
    assert seen.rindex("\x1b[?25h") > seen.rindex("\x1b[?25l")
    assert seen.rstrip().endswith("rollgraph: timed out after 3 s")


def _all_of(terminal: int) -> Iterator[bytes]:
    # A terminal whose other end is closed is an error, and not an end, on Linux.
    with contextlib.suppress(OSError):
        while part := os.read(terminal, 65536):
            yield part


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("checkout",), "expected CLUSTER/NAMESPACE/NAME; got 'checkout'"),
        (("--timeout", "soon"), "--timeout: expected a time such as 90s, 10m or 1h30m"),
        (("--image", "x"), "--image: says what to wait for"),
        (("--until", "healthy", "--filter", "phase=paused"), "--filter phase=: not with --until"),
        (("--filter", "phase=dancing"), "does not exist in 'RolloutPhase'"),
        (("--filter", "labels=a=b=c"), "the server does not take the question"),
    ],
)
def test_what_makes_no_sense_ends_with_2(url: str, words: tuple[str, ...], said: str) -> None:
    with watch(url, *words) as running:
        assert running.end() == 2
    assert said in "".join(running.said)


def test_a_server_that_is_not_there_ends_with_3() -> None:
    with socket.socket() as bound:  # nobody listens
        bound.bind(("127.0.0.1", 0))
        with watch(f"http://127.0.0.1:{bound.getsockname()[1]}", "--until", "healthy") as running:
            assert running.end() == 3
    assert "cannot be reached" in running.said[-1]


class Wire:
    """A way to a server that can be cut."""

    def __init__(self, url: str) -> None:
        self._there = (urlsplit(url).hostname or "", urlsplit(url).port or 0)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def cut(self) -> None:
        """Ends all connections; new ones are possible."""
        open_, self._open = self._open, []
        for end in open_:
            with contextlib.suppress(OSError):  # it has ended by itself
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Takes no new ones, either."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self.cut()
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                here, _ = self._listener.accept()
            except OSError:
                return
            there = socket.create_connection(self._there)
            self._open += [here, there]
            thread = threading.Thread(target=self._join, args=(here, there))
            self._threads.append(thread)
            thread.start()

    def _join(self, here: socket.socket, there: socket.socket) -> None:
        with here, there:
            back = threading.Thread(target=self._pass_on, args=(there, here))
            back.start()
            self._pass_on(here, there)
            back.join()

    @staticmethod
    def _pass_on(source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):  # it was cut
            while part := source.recv(65536):
                target.sendall(part)
            target.shutdown(socket.SHUT_WR)


def test_a_connection_that_breaks_is_made_again_and_nothing_is_told_twice(
    url: str, person: Person
) -> None:
    wire = Wire(url)
    try:
        with watch(
            wire.url, PAYMENTS, "--json", "--until", "healthy", "--image", "p:10"
        ) as running:
            running.shows('"SNAPSHOT"', "payments")
            wire.cut()
            running.says("trying again")
            person.act("setRolloutImage", "payments", container="*", image="p:10")
            running.says("connected again")
            person.act("promoteRolloutFull", "payments")
            assert running.end() == 0
    finally:
        wire.close()
    told = [line for line in map(json.loads, running.lines) if "rollout" in line]
    assert [line["kind"] for line in told].count("SNAPSHOT") == 1
    assert len({line["cursor"] for line in told}) == len(told)
