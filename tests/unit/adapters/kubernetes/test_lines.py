"""Lines out of chunks, wherever the chunks are cut."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollgraph.adapters.kubernetes.lines import LineSplitter
from rollgraph.core.errors import UnreadableError


@given(
    st.lists(st.binary(max_size=20).map(lambda b: b.replace(b"\n", b""))),
    st.lists(st.integers(0, 400), max_size=20),
)
def test_every_cut_gives_the_same_lines(whole: list[bytes], cuts: list[int]) -> None:
    text = b"".join(line + b"\n" for line in whole)
    edges = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    splitter = LineSplitter()
    found = []
    for start, end in itertools.pairwise(edges):
        found += splitter.feed(text[start:end])
    assert found == whole
    assert splitter.rest() == b""


def test_what_has_no_end_is_the_rest() -> None:
    splitter = LineSplitter()
    assert splitter.feed(b"a\nb") == [b"a"]
    assert splitter.feed(b"c") == []
    assert splitter.rest() == b"bc"


def test_a_line_has_a_bound() -> None:
    splitter = LineSplitter(longest=10)
    assert splitter.feed(b"0123456789\n012345678\n") == [b"0123456789", b"012345678"]
    splitter.feed(b"01234567")
    with pytest.raises(UnreadableError, match="more than 10 bytes"):
        splitter.feed(b"89a")
