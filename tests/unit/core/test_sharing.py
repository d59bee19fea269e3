"""Equal parts of objects are kept once, and nothing else changes."""

from typing import Any

import msgspec
import pytest

import samples
from rollgraph.core.objects import sharing
from rollgraph.core.objects.rollout import Rollout


def twice(name: str) -> tuple[Rollout, Rollout]:
    return samples.rollout(name), samples.rollout(name)


def test_texts_times_and_labels_are_shared() -> None:
    one, other = twice("canary-paused-for-5m")
    assert one.status.phase is other.status.phase
    assert one.metadata.creation_timestamp is other.metadata.creation_timestamp
    patch: dict[str, Any] = {"metadata": {"labels": {"team": "pay"}}}
    labelled = [samples.rollout("canary-paused-for-5m", patch).metadata.labels for _ in range(2)]
    assert labelled[0] is labelled[1]


def test_what_is_unique_takes_no_place_in_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharing, "_parts", {})
    found = samples.rollout("canary-healthy")
    assert found.metadata.uid not in sharing._parts
    assert found.metadata.name in sharing._parts


def test_an_empty_default_is_left_alone() -> None:
    """Defaults are the same object in all structs: nothing may be written into one."""
    samples.rollout("canary-healthy")
    bare = msgspec.json.decode(b'{"metadata":{"name":"x"}}', type=Rollout)
    assert bare.status.phase == ""
    assert bare.spec.strategy.canary is None


def test_the_table_is_emptied_before_it_grows_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharing, "_parts", {})
    monkeypatch.setattr(sharing, "_MOST", 10)
    samples.rollout("canary-healthy")
    before = len(sharing._parts)
    samples.rollout("canary-aborted")
    assert before > 10
    assert samples.rollout("canary-healthy") == samples.rollout("canary-healthy")
    assert len(sharing._parts) <= before + 40
