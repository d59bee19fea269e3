"""Counting a document's tokens, a hundred times faster than parsing it."""

import re

# GraphQL's tokens, and comments, which take the lexer as long. Possessive (`*+`) and with an
# optional end, so that every character is looked at once, whatever the document is made of.
_TOKEN = re.compile(
    r'"""(?:[^"\\]|\\(?:""")?|"(?!""))*+(?:""")?'  # block string
    r'|"(?:[^"\\\n\r]|\\.)*+"?'  # string
    r"|\#[^\n\r]*+"  # comment
    r"|[A-Za-z_][A-Za-z0-9_]*+"  # name
    r"|-?[0-9]++(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?"  # number
    r"|\.\.\."
    r"|[!$&():=@\[\]{|}]"
)


def count_tokens(document: str) -> int:
    """How many tokens a document has, comments included.

    Exact for a document that is GraphQL. In any other the lexer stops at the first character that
    is none, before it has seen more tokens than are counted here.
    """
    return len(_TOKEN.findall(document))
