"""Work that goes on beside a test, in a thread of its own."""

import threading
from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self


class Background(ABC):
    """Works from the start to the end of a ``with`` block; what it failed with is raised there.

    Args:
        name: What its thread is called.
    """

    def __init__(self, name: str) -> None:
        self._ending = threading.Event()
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name=name)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def stop(self) -> None:
        """End it, and wait for that; raises what it failed with."""
        self._ending.set()
        self._thread.join()
        if self._error is not None:
            raise self._error

    @abstractmethod
    def _work(self) -> None:
        """Work until ``self._ending`` is set."""

    def _run(self) -> None:
        try:
            self._work()
        except Exception as error:  # noqa: BLE001 - handed to the thread that stops us
            self._error = error
