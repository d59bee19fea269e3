"""Texts of strangers, made fit for a line that people read."""

_CUT = "..."


def shortened(text: str, limit: int) -> str:
    """The text, or its beginning with dots: `limit` characters at most."""
    return text if len(text) <= limit else text[: limit - len(_CUT)] + _CUT


def one_line(text: str) -> str:
    """The text with everything that does not print as itself written out, such as `\\n`, `\\x1b`.

    A terminal acts on control characters, and on marks that turn the direction of writing; a log's
    reader takes a line break for the next message.
    """
    if text.isprintable():
        return text
    return "".join(
        mark if mark.isprintable() else mark.encode("unicode_escape").decode() for mark in text
    )
