"""The files with trusted documents, as they are and as they change."""

import os
from pathlib import Path

import anyio
import pytest

from rollgraph.adapters.documentfiles import MAX_FILE, JsonFiles
from rollgraph.core.errors import ConfigError

pytestmark = pytest.mark.looptime(False)  # real files, read in threads


async def test_all_files_are_read_in_the_order_given(tmp_path: Path) -> None:
    paths = [tmp_path / "b.json", tmp_path / "a.json"]
    for path, content in zip(paths, (b"{}", b"[]"), strict=True):
        path.write_bytes(content)
    assert await JsonFiles(paths).read() == [(str(paths[0]), b"{}"), (str(paths[1]), b"[]")]


async def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    with pytest.raises(ConfigError, match=r"a\.json: No such file or directory$"):
        await JsonFiles([path]).read()
    with path.open("wb") as file:
        file.truncate(MAX_FILE + 1)
    with pytest.raises(ConfigError, match=r"a\.json: expected documents of 16 MiB at most$"):
        await JsonFiles([path]).read()


async def test_each_change_is_told_once(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("{}")
    files = JsonFiles([path], poll=0.02)
    async with files.changes() as changes:
        with anyio.fail_after(30):
            path.write_text('{"a": "{ __typename }"}')
            await anext(changes)
            path.unlink()
            await anext(changes)
        with anyio.move_on_after(0.2) as waited:
            await anext(changes)
    assert waited.cancelled_caught


async def test_a_mounted_config_map_s_change_is_seen(tmp_path: Path) -> None:
    """The kubelet swaps a link to a folder; the file's own path stays a link into it."""
    for name, content in (("one", "{}"), ("two", '{"a": "b"}')):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.json").write_text(content)
    (tmp_path / "..data").symlink_to("one")
    path = tmp_path / "a.json"
    path.symlink_to("..data/a.json")
    files = JsonFiles([path], poll=0.02)
    async with files.changes() as changes:
        (tmp_path / "..new").symlink_to("two")
        os.replace(tmp_path / "..new", tmp_path / "..data")
        with anyio.fail_after(30):
            await anext(changes)
    assert await files.read() == [(str(path), b'{"a": "b"}')]
