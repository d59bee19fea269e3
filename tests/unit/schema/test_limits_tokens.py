"""Tokens are counted as GraphQL's lexer counts them."""

import time

import pytest
from graphql import GraphQLSyntaxError, Lexer, Source, TokenKind
from hypothesis import given, settings
from hypothesis import strategies as st

from rollgraph.schema.limits.tokens import count_tokens

PIECES = [
    "{", "}", "(", ")", "[", "]", ":", "=", "@", "$", "!", "|", "&", "...", "..", ".", "?",
    "name", "_x9", "0", "-1", "1.5", "1e9", "1.5E-3", "-", "1-1", "00", "1a", "1.",
    '"', '""', '"""', '"a"', '"\\""', '"\\\\"', '"""a "b" \\""" c"""', '"\\u00e9"', "\\", "'",
    "# a comment", "\n", "\r", " ", ",", "\t", "\ufeff", "é", "\x00",
]  # fmt: skip


def lexed(document: str) -> tuple[int, bool]:
    """How many tokens the lexer finds, and whether it came to the end."""
    lexer, count = Lexer(Source(document)), 0
    try:
        while (token := _next(lexer)) != TokenKind.EOF:
            count += token != TokenKind.SOF
    except GraphQLSyntaxError:
        return count, False
    return count, True


def _next(lexer: Lexer) -> TokenKind:
    following = lexer.token.next
    if following is None:
        # `advance` would skip comments, which we count.
        following = lexer.read_next_token(lexer.token.end)
        lexer.token.next = following
    lexer.token = following
    return following.kind


@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join) | st.text(max_size=80))
@settings(max_examples=300, deadline=None)
def test_as_many_as_the_lexer_finds(document: str) -> None:
    found, complete = lexed(document)
    if complete:
        assert count_tokens(document) == found
    else:
        assert count_tokens(document) >= found


@pytest.mark.parametrize(
    "piece", ['"\\"', '"', '"""', '"""\\', "1-", "-", "a.", "#", "\\", "{", '""" "', "1e", '"\\\n']
)
def test_no_text_takes_long(piece: str) -> None:
    def spent(times: int) -> float:
        document = piece * times
        started = time.process_time()
        count_tokens(document)
        return time.process_time() - started

    # What grows with the square would take seconds for 256 KiB.
    assert min(spent(256 * 1024 // len(piece)) for _ in range(3)) < 0.5
