"""What a person sees, and what stands in a log, at widths of 80 and 60 columns."""

import io
from datetime import timedelta
from typing import Any

from inline_snapshot import snapshot
from rich.console import Console

from rollgraph.core.refs import RolloutRef
from rollgraph.server.remote.watching.board import Board
from rollgraph.server.remote.watching.lines import line
from rollgraph.server.remote.watching.picture import clock, picture
from rollgraph.server.remote.watching.state import event
from unit.server.remote.watched import (
    CHECKOUT,
    SEARCH,
    T0,
    of_cluster,
    of_rollout,
    rollout,
    waiting,
)


def board(*events: dict[str, Any]) -> Board:
    found = Board()
    for each in events:
        found.hear(event(each))
    return found


def seen(known: Board, width: int = 80, height: int = 24) -> str:
    """The picture as text, without colours."""
    file = io.StringIO()
    console = Console(file=file, width=width, force_terminal=True, color_system=None)
    console.print(
        picture(known, T0 + timedelta(seconds=10), (width, height), "rollgraph watch  0:10")
    )
    return "\n".join(part.rstrip() for part in file.getvalue().splitlines())


def paused() -> dict[str, Any]:
    until = (T0 + timedelta(seconds=40)).isoformat()
    wait = waiting(reason="PAUSE", message="paused for 30 s", until=until, exact=True)
    shown = rollout(phase="PAUSED", done=3)
    return of_rollout(phase="PAUSED", done=3, progress={**shown["progress"], "waiting": wait})


def test_a_rollout_with_its_steps() -> None:
    assert seen(board(of_rollout())) == snapshot("""\
rollgraph watch  0:10
east/shop/checkout  Progressing
  ━━━━━━━━━━━━              step 2/4  canary 40 of 60 %
  pods   canary 2/3, stable 3/3
  waits  more replicas need to be updated
  ✔ setWeight: 20
  ✔ pause
  ▶ setWeight: 60
  · pause: 30s\
""")


def test_what_is_left_of_a_pause_follows_from_the_time() -> None:
    assert "waits  paused for 30 s (0:30 left)" in seen(board(paused()))


def test_a_line_for_each_where_the_steps_of_all_do_not_fit() -> None:
    known = board(of_rollout(), of_rollout(ref=SEARCH, phase="HEALTHY"), of_cluster())
    assert seen(known, height=12) == snapshot("""\
rollgraph watch  0:10
east/shop/checkout Progressing ━━━━━━       2/4 40 of 60 % more replicas need t…
west/search/search Healthy     ━━━━━━━━━━━━ 4/4 100 %\
""")


def test_those_that_need_somebody_where_not_even_these_fit() -> None:
    healthy = [
        of_rollout(ref=RolloutRef("east", "shop", f"r{number}"), phase="HEALTHY")
        for number in range(9)
    ]
    bad = of_rollout(ref=SEARCH, phase="DEGRADED", message="timed out")
    assert seen(board(*healthy, bad, of_rollout()), 60, height=6) == snapshot("""\
rollgraph watch  0:10
west/search/search Degraded    2/4 40 of 60 % timed out
east/shop/checkout Progressing 2/4 40 of 60 % more replicas…
east/shop/r0       Healthy     4/4 100 %
and 8 more\
""")


def test_a_stale_cluster_is_said_to_be_in_both_forms() -> None:
    cut = of_cluster(status="DISCONNECTED", lastError="connection refused")
    assert "STALE  connection refused" in seen(board(of_rollout(), cut))
    other = of_rollout(ref=SEARCH)
    assert "STALE: connection r" in seen(board(of_rollout(), other, cut), height=8)


def test_a_broken_connection_is_said_below() -> None:
    known = board(of_rollout())
    known.broken = "the stream broke off"
    assert seen(known).splitlines()[-1] == "no connection: the stream broke off"


def test_no_picture_is_higher_or_wider_than_its_terminal() -> None:
    long = "x" * 200
    known = board(
        *[
            of_rollout(
                ref=RolloutRef("east", "shop", f"{long}{number}"), phase="DEGRADED", message=long
            )
            for number in range(30)
        ]
    )
    known.broken = long
    for width, height in ((40, 8), (80, 24), (200, 60)):
        lines = seen(known, width, height).splitlines()
        assert max(map(len, lines)) <= width
        assert len(lines) < height


def test_no_text_of_a_cluster_steers_the_terminal() -> None:
    evil = "a\x1b]0;title\x07b\x1b[2J\nc"
    known = board(of_rollout(phase="DEGRADED", message=evil))
    assert "\x1b]" not in seen(known)
    assert "\x1b[2J" not in seen(known)
    assert line(known, CHECKOUT).endswith("a ]0;title b [2J c")


def test_a_line_says_how_it_is_and_no_time_so_that_it_is_not_said_twice() -> None:
    assert line(board(of_rollout()), CHECKOUT) == snapshot(
        "east/shop/checkout  Progressing  step 2/4 setWeight: 60  canary 40 % of 60 %  "
        "more replicas need to be updated"
    )
    assert line(board(paused()), CHECKOUT) == snapshot(
        "east/shop/checkout  Paused  step 3/4 pause: 30s  canary 40 % of 60 %  paused for 30 s"
    )
    assert line(board(of_rollout(phase="HEALTHY")), CHECKOUT) == snapshot(
        "east/shop/checkout  Healthy  step 4/4  canary 100 %"
    )
    cut = of_cluster(status="DISCONNECTED", problem="UNREACHABLE")
    assert line(board(of_rollout(), cut), CHECKOUT).endswith("  STALE: UNREACHABLE")


def test_times_are_as_a_clock_shows_them() -> None:
    assert clock(timedelta(seconds=65)) == "1:05"
    assert clock(timedelta(hours=1, seconds=5)) == "1:00:05"
