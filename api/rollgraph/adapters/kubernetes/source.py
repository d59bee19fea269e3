"""The spokes that kubeconfig files describe, kept up with the files."""

import hashlib
import os
from collections import Counter
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Collection,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import TypeAlias

import anyio
import anyio.to_thread
import msgspec
import structlog

from rollgraph.adapters.kubernetes.kubeconfig import (
    Entry,
    KubeconfigFile,
    entries,
    paths_in,
    read_kubeconfig,
)
from rollgraph.adapters.kubernetes.opening import Opening
from rollgraph.adapters.looks import Look, look_at
from rollgraph.core.errors import ConfigError
from rollgraph.ports import Spoke

# Seconds. A file is read when it has looked the same twice after it changed, so this is also the
# time that a writer has between two of its writes.
POLL_EVERY = 1.0

_log = structlog.get_logger(__name__)

Looks: TypeAlias = dict[Path, Look]


class KubeconfigSource:
    """A `SpokeSource` on kubeconfig files.

    A spoke is a context, and has its name. A `/` in it (as EKS and OpenShift have) becomes `:`,
    since `cluster/namespace/name` names a rollout. In a folder, where each file was made for itself
    and many call their one context "default", contexts of the same name are told apart by
    `<file without its suffix>.<context>`.

    Labels and namespaces of a spoke, and as whom actions are carried out on it, may be given in an
    extension of its context:

        contexts:
        - name: prod-eu
          context:
            cluster: prod-eu
            user: rollgraph
            extensions:
            - name: rollgraph
              extension:
                labels: {environment: production}
                namespaces: [shop, payments]
                identity: serviceAccount

    Args:
        paths: Files, merged as kubectl merges those of KUBECONFIG; or one folder of files, of which
            each stands for itself.
        contexts: The contexts to take; empty means all.
        exec_allow: The credential plugins that may be run, as bare names or absolute paths.
        namespaces: The namespaces to watch where the context does not say; empty means all.
        poll: Seconds between two looks at the files.
    """

    def __init__(
        self,
        paths: Path | Sequence[Path],
        *,
        contexts: Collection[str] = (),
        exec_allow: Collection[str] = (),
        namespaces: Sequence[str] = (),
        poll: float = POLL_EVERY,
    ) -> None:
        self._paths = [paths] if isinstance(paths, Path) else list(paths)
        self._contexts = frozenset(contexts)
        self._exec_allow = frozenset(exec_allow)
        self._namespaces = tuple(namespaces)
        self._poll = poll
        self._started = self._is_folder = False
        self._good: dict[Path, list[Entry]] = {}
        # Fingerprints are compared in this process only; with a key that nobody else has they tell
        # nothing of a password that could be guessed.
        self._key = os.urandom(32)

    @asynccontextmanager
    async def watch(self) -> AsyncIterator[AsyncIterator[Sequence[Spoke]]]:
        """All spokes now and after each change; see `ports.SpokeSource`."""
        self._is_folder = len(self._paths) == 1 and self._paths[0].is_dir()
        async with aclosing(self._changes(*await self._read())) as changes:
            yield changes

    async def _changes(self, spokes: list[Spoke], look: Looks) -> AsyncGenerator[Sequence[Spoke]]:
        yield spokes
        self._started = True
        moving = look
        while True:
            await anyio.sleep(self._poll)
            now = await anyio.to_thread.run_sync(self._look, list(look))
            if now == look or now != moving:
                moving = now
                continue
            try:
                again, look = await self._read()
            except ConfigError as error:
                _log.warning("kubeconfig_unreadable", error=str(error), spokes_kept=len(spokes))
                look = moving = now
                continue
            moving = look
            if _identities(again) != _identities(spokes):
                spokes = again
                yield spokes

    async def _read(self) -> tuple[list[Spoke], Looks]:
        return await anyio.to_thread.run_sync(self._read_now)

    def _read_now(self) -> tuple[list[Spoke], Looks]:
        """Reads all files. The look is from before, so that no change falls in between."""
        before = self._look([])
        named = self._named(self._entries())
        missing = self._contexts - {entry.name for entry in named.values()}
        if missing:
            raise ConfigError(f"{self._where()}: expected a context {min(missing)!r}")
        wanted = {
            name: entry
            for name, entry in named.items()
            if not self._contexts or entry.name in self._contexts
        }
        referred = [path for entry in wanted.values() for path in _files_of(entry)]
        look = before | _look_at(referred)
        return [self._spoke(name, entry) for name, entry in wanted.items()], look

    def _entries(self) -> list[Entry]:
        folder = self._folder()
        if folder is not None:
            return [entry for path in paths_in(folder) for entry in self._alone(path)]
        files: Mapping[Path, KubeconfigFile] = {
            path: read_kubeconfig(path) for path in self._files()
        }
        return entries(files)

    def _alone(self, path: Path) -> list[Entry]:
        """The contexts of one file of a folder; after the start, the last good ones.

        So one team's broken file does not hold up the others.
        """
        try:
            found = entries({path: read_kubeconfig(path)})
        except ConfigError as error:
            if not self._started:
                raise
            _log.warning("kubeconfig_unreadable", error=str(error))
            return self._good.get(path, [])
        self._good[path] = found
        return found

    def _files(self) -> list[Path]:
        """As for kubectl, a file of several may be missing, but not all of them."""
        there = [path for path in self._paths if path.exists()]
        return there if there else self._paths[:1]

    def _folder(self) -> Path | None:
        first = self._paths[0]
        return first if self._is_folder else None

    def _where(self) -> str:
        return ", ".join(str(path) for path in self._paths)

    def _named(self, found: Sequence[Entry]) -> dict[str, Entry]:
        times = Counter(entry.name for entry in found)
        named: dict[str, Entry] = {}
        for entry in found:
            name = f"{entry.file.stem}.{entry.name}" if times[entry.name] > 1 else entry.name
            name = name.replace("/", ":")
            if name in named:
                raise ConfigError(
                    f"{entry.file}: context {entry.name!r}: expected another name than that of a"
                    f" context in {named[name].file}"
                )
            named[name] = entry
        return named

    def _spoke(self, name: str, entry: Entry) -> Spoke:
        opening = Opening(entry, self._exec_allow)
        return Spoke(
            name=name,
            fingerprint=self._fingerprint(entry),
            open=opening,
            namespaces=tuple(entry.extension.namespaces) or self._namespaces,
            labels=entry.extension.labels,
            open_patcher=opening.patcher,
            identity=entry.extension.identity,
        )

    def _fingerprint(self, entry: Entry) -> str:
        digest = hashlib.blake2b(key=self._key, digest_size=16)
        digest.update(msgspec.json.encode([entry.cluster, entry.user, str(entry.user_folder)]))
        for path in _files_of(entry):
            digest.update(b"\0" + _bytes_of(path))
        return digest.hexdigest()

    def _look(self, also: Sequence[Path]) -> Looks:
        return _look_at(dict.fromkeys([*self._present(), *also]))

    def _present(self) -> Sequence[Path]:
        folder = self._folder()
        if folder is None:
            return self._paths
        try:
            return paths_in(folder)
        except ConfigError:  # reading it will say so, where somebody listens
            return []


def _identities(spokes: Sequence[Spoke]) -> list[tuple[object, ...]]:
    return [(s.name, s.fingerprint, s.namespaces, s.labels, s.identity) for s in spokes]


def _files_of(entry: Entry) -> Iterator[Path]:
    """The files that a connection is made from. Not tokenFile: it is read again while in use."""
    cluster, user = entry.cluster, entry.user
    if cluster.certificate_authority and not cluster.certificate_authority_data:
        yield entry.cluster_folder / cluster.certificate_authority
    if user.client_certificate and not user.client_certificate_data:
        yield entry.user_folder / user.client_certificate
    if user.client_key and not user.client_key_data:
        yield entry.user_folder / user.client_key


def _look_at(paths: Iterable[Path]) -> Looks:
    return {path: look_at(path) for path in paths}


def _bytes_of(path: Path) -> bytes:
    """Its content; without one the connection will say so when it is opened."""
    try:
        return path.read_bytes()
    except OSError:
        return b""
