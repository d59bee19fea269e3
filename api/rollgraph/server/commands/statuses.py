"""What commands end with, and how they complain."""

import sys

OK = 0
FAILED = 1
MISUSED = 2  # as argparse has it
INTERRUPTED = 128 + 2  # as a shell has it


def complain(text: str) -> None:
    """Says what is wrong, to whoever has called."""
    for line in text.splitlines():
        print(f"rollgraph: {line}", file=sys.stderr)
