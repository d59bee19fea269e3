"""One line of a policy, cut into its fields as Go's `encoding/csv` does for Argo CD.

Python's csv module takes what Go's refuses, such as a quote in the middle of a field: a policy
would be good here and broken there.
"""

_SPACE = " \t"


class BadLineError(ValueError):
    """A line is no CSV; the message has the column, from 1, and what was expected there."""


def fields(line: str) -> list[str]:
    """The fields of a line without its line break.

    Space before a field does not count; a field in double quotes may have commas, and `""` for a
    quote. Raises `BadLineError`.
    """
    found: list[str] = []
    position = 0
    while True:
        while position < len(line) and line[position] in _SPACE:
            position += 1
        quoted = line.startswith('"', position)
        field, position = (_quoted if quoted else _plain)(line, position)
        found.append(field)
        if position == len(line):
            return found
        position += 1  # the comma


def _plain(line: str, start: int) -> tuple[str, int]:
    end = line.find(",", start)
    end = len(line) if end < 0 else end
    quote = line.find('"', start, end)
    if quote >= 0:
        raise BadLineError(
            f"column {quote + 1}: a quote within a field; quote the whole field, and write"
            ' "" for a quote in it'
        )
    return line[start:end], end


def _quoted(line: str, start: int) -> tuple[str, int]:
    parts: list[str] = []
    position = start + 1
    while True:
        quote = line.find('"', position)
        if quote < 0:
            raise BadLineError(f"column {start + 1}: the quote is never closed")
        parts.append(line[position:quote])
        position = quote + 1
        if not line.startswith('"', position):
            break
        parts.append('"')
        position += 1
    if position < len(line) and line[position] != ",":
        raise BadLineError(f"column {position + 1}: expected a comma right after the quote")
    return "".join(parts), position
