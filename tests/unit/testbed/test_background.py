import threading

import pytest

from testbed.background import Background


class Counting(Background):
    """Counts until it is told to end, or fails at a number."""

    def __init__(self, fails_at: int = -1) -> None:
        super().__init__("counting")
        self.count = 0
        self.begun = threading.Event()
        self._fails_at = fails_at

    def _work(self) -> None:
        while not self._ending.wait(0.001):
            if self.count == self._fails_at:
                raise ValueError(f"no {self.count}")
            self.count += 1
            self.begun.set()


def test_it_works_until_the_block_ends() -> None:
    with Counting() as counting:
        assert counting.begun.wait(10)
    count = counting.count
    assert count > 0
    assert not any(thread.name == "counting" for thread in threading.enumerate())
    assert counting.count == count


def test_what_it_failed_with_is_raised_at_the_end() -> None:
    counting = Counting(fails_at=3)
    counting.start()
    counting._thread.join(10)
    with pytest.raises(ValueError, match=r"^no 3$"):
        counting.stop()
    assert counting.count == 3
