"""What happens to rollouts as lines: for logs of CI, and as JSON for programs."""

from datetime import datetime
from typing import Any

import orjson

from rollgraph.core.refs import RolloutRef
from rollgraph.server.remote.watching.board import Board
from rollgraph.server.remote.watching.goal import Verdict
from rollgraph.server.remote.watching.state import Rollout


def printable(text: str) -> str:
    """A text of a cluster without what would steer a terminal."""
    return "".join(char if char.isprintable() else " " for char in text)


def line(board: Board, ref: RolloutRef) -> str:
    """How a rollout is, without the time: equal as long as there is nothing new to tell.

    "" before anything was told of it.
    """
    rollout = board.rollouts.get(ref)
    if rollout is None:
        gone = ref in board.gone or ref not in board.rollouts
        return printable(f"{ref}  gone") if gone else ""
    parts = [str(ref), rollout.phase.capitalize(), *_steps(rollout), *_weight(rollout)]
    waiting = rollout.progress.waiting
    if waiting is not None:
        parts.append(waiting.message)
    elif rollout.message:
        parts.append(rollout.message)
    if stale := board.stale(ref):
        parts.append(f"STALE: {stale}")
    return printable("  ".join(parts))


def stamped(text: str, at: datetime) -> str:
    """A line with the time of day, as this machine has it."""
    return f"{at.astimezone():%H:%M:%S}  {text}"


def json_event(told: dict[str, Any]) -> str:
    """An event as it was told, in one line."""
    return orjson.dumps(told).decode()


def json_verdict(verdict: Verdict, at: datetime) -> str:
    """The last line: how it ended."""
    told = {
        "kind": "RESULT",
        "receivedAt": at,
        "result": verdict.status.name,
        "exitCode": int(verdict.status),
        "message": verdict.text,
    }
    return orjson.dumps(told, option=orjson.OPT_UTC_Z).decode()


def _steps(rollout: Rollout) -> list[str]:
    progress = rollout.progress
    if not progress.steps_total:
        return []
    current = next((step for step in rollout.steps if step.state == "CURRENT"), None)
    label = f" {current.label}" if current else ""
    return [f"step {progress.steps_completed}/{progress.steps_total}{label}"]


def _weight(rollout: Rollout) -> list[str]:
    wanted, real = rollout.split.desired_weight, rollout.split.actual_weight
    if wanted is None or real is None:
        return []
    if real == wanted:
        return [f"canary {real:g} %"]
    return [f"canary {real:g} % of {wanted:g} %"]
