"""Readers of what a follower tells."""


class BriskReaders:
    """A `feed.turns.Readers` for whom nobody has ever to wait."""

    def crowded(self, news: int) -> bool:
        """Of the protocol."""
        return False

    def give_up(self, news: int) -> None:
        """Of the protocol."""
        raise AssertionError("they keep up")
