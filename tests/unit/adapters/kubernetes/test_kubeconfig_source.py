"""Which spokes some kubeconfig files describe, at the start and as they change."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
import yaml

from rollgraph.adapters.kubernetes.source import KubeconfigSource
from rollgraph.core.errors import ConfigError
from rollgraph.ports import Spoke

pytestmark = pytest.mark.looptime(False)  # real files, read in threads

Config = dict[str, Any]


def kubeconfig(*names: str, **user: Any) -> Config:
    """A kubeconfig with a context, a cluster and a user of each name."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": names[0] if names else "",
        "clusters": [{"name": n, "cluster": {"server": f"https://{n}:6443"}} for n in names],
        "users": [{"name": n, "user": user or {"token": f"token-of-{n}"}} for n in names],
        "contexts": [{"name": n, "context": {"cluster": n, "user": n}} for n in names],
    }


def write(path: Path, config: Config) -> Path:
    path.write_text(yaml.safe_dump(config))
    return path


async def spokes(paths: Path | Sequence[Path], **options: Any) -> dict[str, Spoke]:
    """All spokes now."""
    async with KubeconfigSource(paths, **options).watch() as answers:
        return {spoke.name: spoke for spoke in await anext(answers)}


async def test_each_context_is_a_spoke(tmp_path: Path) -> None:
    path = write(tmp_path / "config", kubeconfig("east", "west"))
    assert list(await spokes(path)) == ["east", "west"]
    assert list(await spokes(path, contexts=["west"])) == ["west"]


async def test_a_slash_does_not_get_into_a_name(tmp_path: Path) -> None:
    path = write(tmp_path / "config", kubeconfig("arn:aws:eks:eu-1:1:cluster/prod"))
    assert list(await spokes(path)) == ["arn:aws:eks:eu-1:1:cluster:prod"]


async def test_files_are_merged_as_kubectl_does(tmp_path: Path) -> None:
    first = write(tmp_path / "first", kubeconfig("east"))
    second = kubeconfig("east", "west")
    second["clusters"][0]["cluster"]["server"] = "https://shadowed"
    merged = await spokes([first, write(tmp_path / "second", second), tmp_path / "missing"])
    alone = await spokes(first)
    assert list(merged) == ["east", "west"]
    assert list(alone) == ["east"]


async def test_a_folder_holds_files_of_their_own(tmp_path: Path) -> None:
    for name in ("eu", "us"):
        write(tmp_path / f"{name}.yaml", kubeconfig("default"))
    write(tmp_path / "single.yaml", kubeconfig("single"))
    write(tmp_path / ".eu.yaml.swp", kubeconfig("hidden"))
    (tmp_path / "sub").mkdir()
    assert sorted(await spokes(tmp_path)) == ["eu.default", "single", "us.default"]


async def test_an_extension_gives_labels_and_namespaces(tmp_path: Path) -> None:
    config = kubeconfig("east", "west")
    ours = {"labels": {"env": "prod"}, "namespaces": ["shop"]}
    config["contexts"][0]["context"]["extensions"] = [
        {"name": "other", "extension": {"x": 1}},
        {"name": "rollgraph", "extension": ours},
    ]
    config["contexts"][1]["context"]["extensions"] = [{"name": "other"}]
    found = await spokes(write(tmp_path / "config", config), namespaces=["bank"])
    assert found["east"].labels == {"env": "prod"}
    assert found["east"].namespaces == ("shop",)
    assert found["west"].namespaces == ("bank",)


def without(config: Config, key: str) -> Config:
    return {k: v for k, v in config.items() if k != key}


EXTENDED = kubeconfig("east")
EXTENDED["contexts"][0]["context"]["extensions"] = [
    {"name": "rollgraph", "extension": {"label": {}}}
]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected a kubeconfig"),
        ("clusters: [", "expected YAML: .* in line"),
        ("a: b: s3cret", "expected YAML: .* in line 1"),
        ("\x00", "expected YAML in UTF-8"),
        (yaml.safe_dump(kubeconfig("east", token=5)), r"Expected `str`, got `int` - at `\$.users"),
        (yaml.safe_dump(without(kubeconfig("east"), "clusters")), "a cluster named 'east'"),
        (yaml.safe_dump(without(kubeconfig("east"), "users")), "a user named 'east'"),
        (yaml.safe_dump({"contexts": [{"name": "east"}]}), "expected cluster and user"),
        (yaml.safe_dump(EXTENDED), "extension rollgraph"),
        (yaml.safe_dump(kubeconfig("a/b", "a:b")), "expected another name"),
    ],
    ids=["empty", "half", "mapping", "binary", "type", "cluster", "user", "context", "ext", "name"],
)
async def test_a_bad_file_at_the_start_is_an_error_that_says_where(
    tmp_path: Path, text: str, message: str
) -> None:
    path = tmp_path / "config"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message) as caught:
        await spokes(path)
    assert str(path) in str(caught.value)
    assert "s3cret" not in str(caught.value)


async def test_what_is_not_there_is_an_error_that_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        await spokes([tmp_path / "a", tmp_path / "b"])
    path = write(tmp_path / "config", kubeconfig("east"))
    with pytest.raises(ConfigError, match="expected a context 'nowhere'"):
        await spokes(path, contexts=["nowhere"])


async def test_a_fingerprint_reveals_nothing_and_knows_everything(tmp_path: Path) -> None:
    path = write(tmp_path / "config", kubeconfig("east", username="a", password="b"))
    one, other = await spokes(path), await spokes(path)
    # Another process could not even tell that it is the same password.
    assert one["east"].fingerprint != other["east"].fingerprint


class Watched:
    """A source under test, and what it said."""

    def __init__(self) -> None:
        self.answers: list[dict[str, Spoke]] = []

    async def listen(self, answers: AsyncIterator[Sequence[Spoke]]) -> None:
        async for answer in answers:
            self.answers.append({spoke.name: spoke for spoke in answer})

    @property
    def names(self) -> list[list[str]]:
        return [list(answer) for answer in self.answers]

    async def answered(self, times: int) -> dict[str, Spoke]:
        with anyio.fail_after(10):
            while len(self.answers) < times:  # noqa: ASYNC110 - it polls, too
                await anyio.sleep(0.01)
        return self.answers[-1]


@asynccontextmanager
async def watching(path: Path) -> AsyncIterator[Watched]:
    watched = Watched()
    async with (
        KubeconfigSource(path, poll=0.02).watch() as answers,
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(watched.listen, answers)
        await watched.answered(1)
        yield watched
        tasks.cancel_scope.cancel()


async def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    path = write(tmp_path / "config", kubeconfig("east"))
    async with watching(path) as watched:
        write(path, kubeconfig("east", "west"))
        second = await watched.answered(2)
        assert list(second) == ["east", "west"]
        assert second["east"].fingerprint == watched.answers[0]["east"].fingerprint
        write(path, kubeconfig("east", "west", token="rotated"))
        third = await watched.answered(3)
        assert third["east"].fingerprint != second["east"].fingerprint


async def test_a_file_that_is_touched_says_nothing_new(tmp_path: Path) -> None:
    path = write(tmp_path / "config", kubeconfig("east"))
    async with watching(path) as watched:
        path.touch()
        await anyio.sleep(0.2)
        write(path, kubeconfig("west"))
        await watched.answered(2)
        assert watched.names == [["east"], ["west"]]


async def test_half_a_file_keeps_what_was_good(tmp_path: Path) -> None:
    path = write(tmp_path / "config", kubeconfig("east"))
    async with watching(path) as watched:
        path.write_text("clusters: [")
        await anyio.sleep(0.2)
        path.unlink()
        await anyio.sleep(0.2)
        write(path, kubeconfig("east", "west"))
        await watched.answered(2)
        assert watched.names == [["east"], ["east", "west"]]


async def test_one_bad_file_of_a_folder_does_not_hold_up_the_others(tmp_path: Path) -> None:
    bad = write(tmp_path / "bad.yaml", kubeconfig("bad"))
    async with watching(tmp_path) as watched:
        bad.write_text("nonsense")
        (tmp_path / "new-and-bad.yaml").write_text("nonsense")
        write(tmp_path / "good.yaml", kubeconfig("good"))
        assert list(await watched.answered(2)) == ["bad", "good"]
        bad.unlink()
        assert list(await watched.answered(3)) == ["good"]


async def test_a_folder_that_vanishes_keeps_what_was_good(tmp_path: Path) -> None:
    folder = tmp_path / "spokes"
    folder.mkdir()
    write(folder / "east.yaml", kubeconfig("east"))
    async with watching(folder) as watched:
        folder.rename(tmp_path / "elsewhere")
        await anyio.sleep(0.2)
        assert watched.names == [["east"]]
        (tmp_path / "elsewhere").rename(folder)
        write(folder / "west.yaml", kubeconfig("west"))
        assert list(await watched.answered(2)) == ["east", "west"]


async def test_files_that_a_kubeconfig_refers_to_are_part_of_it(tmp_path: Path) -> None:
    ca, cert, key = (tmp_path / name for name in ("ca.pem", "cert.pem", "key.pem"))
    config = kubeconfig(
        "east", **{"client-certificate": "cert.pem", "client-key": str(key), "tokenFile": "t"}
    )
    config["clusters"][0]["cluster"]["certificate-authority"] = "ca.pem"
    ca.write_text("ca")
    async with watching(write(tmp_path / "config", config)) as watched:
        for number, path in enumerate((ca, cert, key), start=2):
            path.write_text("rotated")
            await watched.answered(number)
        (tmp_path / "t").write_text("a token is read when it is used")
        await anyio.sleep(0.2)
        assert len({answer["east"].fingerprint for answer in watched.answers}) == 4
        assert len(watched.answers) == 4
