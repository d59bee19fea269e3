"""What a person sees of rollouts on their way: a picture of what is known, at a moment."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from rollgraph.core.refs import RolloutRef
from rollgraph.server.remote.watching.board import Board
from rollgraph.server.remote.watching.lines import printable
from rollgraph.server.remote.watching.state import Rollout, Waiting

# Columns of a bar: 20 steps can still be told apart.
_BAR = 24
# Columns of a terminal from which on a line for each rollout has a bar, too.
_ROOM_FOR_BARS = 72
_STALE = "bold magenta"
_STYLES = {
    "HEALTHY": "green",
    "PROGRESSING": "cyan",
    "PAUSED": "yellow",
    "DEGRADED": "bold red",
}
# Where not all fit, who needs somebody comes first.
_ORDER = ("DEGRADED", "PAUSED", "PROGRESSING", "UNKNOWN", "HEALTHY")
_MARKS = {"COMPLETED": "✔", "CURRENT": "▶", "SKIPPED": "↷", "PENDING": "·"}
_STEP_STYLES = {"COMPLETED": "green", "CURRENT": "bold cyan", "SKIPPED": "dim", "PENDING": "dim"}


class Row(NamedTuple):
    """A rollout as it is drawn.

    Attributes:
        share: Percent of the way.
        steps: Each step's state and text.
    """

    name: str
    phase: str
    share: float
    counted: str
    weight: str
    pods: str
    waits: str
    stale: str
    steps: Sequence[tuple[str, str]]


def rows(board: Board, now: datetime) -> list[Row]:
    """All rollouts, by name."""
    return [_row(board, ref, now) for ref in sorted(board.rollouts)]


def picture(board: Board, now: datetime, size: tuple[int, int], title: str) -> RenderableType:
    """All that fits into a terminal: with all steps, or else a line for each rollout.

    Args:
        now: The time, from which what is left of a pause follows.
        size: Columns and lines of the terminal.
        title: Stands above it.
    """
    width, height = size
    drawn = rows(board, now)
    foot = [_cut(f"no connection: {board.broken}", "bold red")] if board.broken else []
    # The last line is the cursor's.
    left = height - 2 - len(foot)
    if sum(_lines(row) for row in drawn) <= left:
        body: list[RenderableType] = [_whole(row) for row in drawn]
    else:
        body = _table(drawn, width, left)
    return Group(_cut(title, "dim"), *body, *foot)


def _row(board: Board, ref: RolloutRef, now: datetime) -> Row:
    rollout = board.rollouts[ref]
    if rollout is None:
        why = "gone" if ref in board.gone else "nothing is told of it yet"
        return Row(printable(str(ref)), "-", 0, "", "", "", why, "", ())
    return Row(
        name=printable(str(ref)),
        phase=rollout.phase,
        share=100 if rollout.phase == "HEALTHY" else rollout.progress.percent,
        counted=_counted(rollout),
        weight=_weight(rollout),
        pods=_pods(rollout),
        waits=_waits(rollout, now),
        stale=printable(board.stale(ref)),
        steps=[(step.state, printable(step.label)) for step in rollout.steps],
    )


def _counted(rollout: Rollout) -> str:
    progress = rollout.progress
    if not progress.steps_total:
        return ""
    return f"{progress.steps_completed}/{progress.steps_total}"


def _weight(rollout: Rollout) -> str:
    wanted, real = rollout.split.desired_weight, rollout.split.actual_weight
    if wanted is None or real is None:
        return ""
    return f"{real:g} %" if real == wanted else f"{real:g} of {wanted:g} %"


def _pods(rollout: Rollout) -> str:
    parts = [
        f"{'+'.join(role.lower() for role in item.roles) or 'other'} {item.ready_pods}/{item.pods}"
        for item in rollout.split.slices
        if item.pods
    ]
    return ", ".join(parts)


def _waits(rollout: Rollout, now: datetime) -> str:
    waiting = rollout.progress.waiting
    if waiting is None:
        return printable(rollout.message or "") if rollout.phase == "DEGRADED" else ""
    return printable(f"{waiting.message}{_left(waiting, now)}")


def _left(waiting: Waiting, now: datetime) -> str:
    if waiting.until is None:
        return ""
    left = max(waiting.until - now, timedelta(0))
    return f" ({'' if waiting.exact else 'at least '}{clock(left)} left)"


def clock(time: timedelta) -> str:
    """A length of time as a clock shows it: `1:05`, `1:00:05`."""
    minutes, seconds = divmod(int(time.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def _lines(row: Row) -> int:
    """Lines that a rollout takes with all of its steps."""
    return 2 + bool(row.stale) + bool(row.pods) + bool(row.waits) + len(row.steps)


def _whole(row: Row) -> RenderableType:
    counted = f"  step {row.counted}" if row.counted else ""
    weight = f"  canary {row.weight}" if row.weight else ""
    # The padding keeps the bar, which takes all the room there is, to its width.
    way = Table.grid(padding=(0, 0))
    way.add_column(width=2)
    way.add_column(width=_BAR)
    way.add_column(no_wrap=True)
    way.add_row("", _bar(row), f"{counted}{weight}")
    name = Text.assemble((row.name, "bold"), "  ", _phase(row), no_wrap=True, overflow="ellipsis")
    lines: list[RenderableType] = [name, way]
    if row.stale:
        lines.append(_cut(f"  STALE  {row.stale}", _STALE))
    if row.pods:
        lines.append(_cut(f"  pods   {row.pods}"))
    if row.waits:
        lines.append(_cut(f"  waits  {row.waits}", "yellow"))
    lines += [_cut(f"  {_MARKS[state]} {text}", _STEP_STYLES[state]) for state, text in row.steps]
    return Group(*lines)


def _cut(text: str, style: str = "") -> Text:
    """One line, whatever the width."""
    return Text(printable(text), style=style, no_wrap=True, overflow="ellipsis")


def _table(drawn: Sequence[Row], width: int, height: int) -> list[RenderableType]:
    """A line for each; if not all fit, of those that need somebody."""
    left = len(drawn) - height + 1 if len(drawn) > height else 0
    if left:
        drawn = sorted(drawn, key=_urgency)[: len(drawn) - left]
    bar = _BAR // 2 if width >= _ROOM_FOR_BARS else 0
    names = max((len(row.name) for row in drawn), default=0)
    table = Table.grid(padding=(0, 1), expand=True)
    # Phase, steps and weight take 30 columns with what is between them.
    table.add_column(no_wrap=True, width=min(names, max(10, (width - bar - 30) * 2 // 3)))
    table.add_column(no_wrap=True)
    if bar:
        table.add_column(no_wrap=True, width=bar)
    for _ in range(2):
        table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, ratio=1)
    for row in drawn:
        why = _cut(f"STALE: {row.stale}", _STALE) if row.stale else _cut(row.waits)
        way = (_bar(row),) if bar else ()
        table.add_row(_cut(row.name), _phase(row), *way, _cut(row.counted), _cut(row.weight), why)
    return [table, _cut(f"and {left} more", "dim")] if left else [table]


def _urgency(row: Row) -> int:
    if row.stale or row.phase not in _ORDER:
        return -1
    return _ORDER.index(row.phase)


def _phase(row: Row) -> Text:
    return Text(row.phase.capitalize(), style="dim" if row.stale else _STYLES.get(row.phase, ""))


def _bar(row: Row) -> RenderableType:
    style = "dim" if row.stale else _STYLES.get(row.phase, "")
    return ProgressBar(
        total=100, completed=row.share, width=_BAR, complete_style=style, finished_style=style
    )
