"""Draws docs/images/watch.svg: `rollgraph watch` at a terminal, beside a demo.

    PYTHONPATH=tests uv run python -m integration.terminal

It takes tmux, whose screen is what a person would see.
"""

import io
import re
import subprocess
import sys
import threading
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.text import Text

from demos import demo
from integration.server.test_acting_in_the_demo import Person
from testbed.deadline import wait_until

WIDTH, HEIGHT = 84, 27
PICTURE = Path(__file__).parents[2] / "docs" / "images" / "watch.svg"
# Without rich's font, which would come from elsewhere.
FORMAT = re.sub(r"@font-face \{\{.*?\n    \}\}\n", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
COMMAND = "rollgraph watch eu-west/shop/checkout eu-west/payments/payments --until healthy"


def main() -> None:
    """Draws it."""
    with demo("--rate", "0", "--spokes", "2", "--rollouts", "12") as running:
        running.serving()
        assert running.popen.stderr is not None
        threading.Thread(target=running.popen.stderr.read, daemon=True).start()
        person = Person(running)
        person.reach("checkout", phase="HEALTHY")
        person.act("setRolloutImage", "checkout", container="*", image="shop:2.1.0")
        person.reach("checkout", phase="PAUSED", currentStepIndex=1)
        person.act("promoteRollout", "checkout")
        person.reach("checkout", phase="PAUSED", currentStepIndex=3)
        draw(screen(f"{COMMAND} --server {running.url}"))
        running.popen.kill()


def screen(command: str) -> str:
    """What is seen a moment after a command is given, with its colours."""
    tmux = ("tmux", "-L", "rollgraph-picture")
    size = ("-x", str(WIDTH), "-y", str(HEIGHT))
    path = f"PATH={Path(sys.executable).parent}:$PATH"
    seen = ""

    def drawn() -> str | None:
        nonlocal seen
        capture = [*tmux, "capture-pane", "-e", "-p", "-t", "0"]
        seen = subprocess.run(capture, capture_output=True, text=True, check=True).stdout
        return None if "checkout" in seen and "left)" in seen else "it shows no pause"

    subprocess.run([*tmux, "new-session", "-d", *size, f"{path} {command}"], check=True)
    try:
        wait_until(drawn, seconds=20, what="the terminal shows a pause")
    finally:
        subprocess.run([*tmux, "kill-server"], check=True)
    return seen


def draw(seen: str) -> None:
    """Writes the picture."""
    console = Console(width=WIDTH, record=True, file=io.StringIO())
    console.print(Text.from_ansi(f"$ {COMMAND}\n{seen.rstrip()}"))
    console.save_svg(str(PICTURE), title="rollgraph watch", code_format=FORMAT)


if __name__ == "__main__":
    main()
