"""The policy that is in files, at the start and as they change."""

import os
from pathlib import Path

import anyio
import pytest

from rollgraph.adapters.policyfiles import MAX_FILE, PolicyFiles
from rollgraph.core.errors import ConfigError
from rollgraph.core.rbac.text import MatchMode, PolicyText

pytestmark = pytest.mark.looptime(False)  # real files, read in threads

READS = "p, alice, rollouts, get, *, allow\n"
ACTS = "p, alice, rollouts, *, *, allow\n"


async def first(source: PolicyFiles) -> PolicyText:
    async with source.watch() as texts:
        return await anext(texts)


def said(text: PolicyText) -> list[str]:
    return [document.csv for document in text.documents]


async def test_files_are_read_in_the_order_given(tmp_path: Path) -> None:
    paths = [tmp_path / "b.csv", tmp_path / "a.csv"]
    for path, csv in zip(paths, (READS, ACTS), strict=True):
        path.write_text(csv)
    text = await first(PolicyFiles(paths, "role:readonly", MatchMode.REGEX))
    assert said(text) == [READS, ACTS]
    assert [document.name for document in text.documents] == list(map(str, paths))
    assert (text.default_role, text.match_mode) == ("role:readonly", MatchMode.REGEX)


async def test_no_file_is_a_policy_that_says_nothing() -> None:
    assert said(await first(PolicyFiles([]))) == []


async def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / "policy.csv"
    with pytest.raises(ConfigError, match=r"policy\.csv: No such file or directory$"):
        await first(PolicyFiles([path]))
    path.write_bytes(b"\xff")
    with pytest.raises(ConfigError, match=r"policy\.csv: expected a policy in UTF-8$"):
        await first(PolicyFiles([path]))
    path.write_bytes(b"#" * (MAX_FILE + 1))
    with pytest.raises(ConfigError, match=r"policy\.csv: expected a policy of 2 MiB at most$"):
        await first(PolicyFiles([path]))


async def test_a_change_gives_the_policy_again(tmp_path: Path) -> None:
    path = tmp_path / "policy.csv"
    path.write_text(READS)
    async with PolicyFiles([path], poll=0.02).watch() as texts:
        assert said(await anext(texts)) == [READS]
        path.write_text(ACTS)
        with anyio.fail_after(30):
            assert said(await anext(texts)) == [ACTS]


async def test_a_mounted_config_map_s_change_is_seen(tmp_path: Path) -> None:
    """The kubelet swaps a link to a folder; the file's own path stays a link into it."""
    for name, csv in (("one", READS), ("two", ACTS)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "policy.csv").write_text(csv)
    (tmp_path / "..data").symlink_to("one")
    path = tmp_path / "policy.csv"
    path.symlink_to("..data/policy.csv")
    async with PolicyFiles([path], poll=0.02).watch() as texts:
        assert said(await anext(texts)) == [READS]
        (tmp_path / "..new").symlink_to("two")
        os.replace(tmp_path / "..new", tmp_path / "..data")
        with anyio.fail_after(30):
            assert said(await anext(texts)) == [ACTS]


async def test_a_file_that_goes_away_is_told_to_whoever_watches(tmp_path: Path) -> None:
    path = tmp_path / "policy.csv"
    path.write_text(READS)
    async with PolicyFiles([path], poll=0.02).watch() as texts:
        await anext(texts)
        path.unlink()
        with anyio.fail_after(30), pytest.raises(ConfigError, match="No such file"):
            await anext(texts)
