"""Watches: streams of changes."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from functools import partial

import anyio
import msgspec

from rollgraph.simulation import problems
from rollgraph.simulation.apiserver import requests
from rollgraph.simulation.apiserver.listing import Lists
from rollgraph.simulation.apiserver.requests import Filter, Target
from rollgraph.simulation.manifests import Manifest
from rollgraph.simulation.store import Change, Store

# Seconds. A real server sends bookmarks about once a minute, and ends a watch after half an hour to
# an hour if it is not told a time.
BOOKMARK_EVERY = 60.0
LONGEST = 1800.0
# Objects in one piece of a stream's beginning, so that others get their turn in between.
BATCH = 200

_encode = msgspec.json.Encoder().encode


class Watches:
    """Streams of one store."""

    def __init__(self, store: Store, lists: Lists) -> None:
        self._store = store
        self._lists = lists
        self._woken: set[anyio.Event] = set()
        self._closed = False
        store.listeners.append(self._note)

    def close(self) -> None:
        """Ends every stream."""
        self._closed = True
        self._wake()

    def open(self, target: Target, query: Mapping[str, str]) -> AsyncIterator[bytes]:
        """A stream; raises a 400 or 422 at once, later trouble is an event of it."""
        version, initial = requests.version(query), requests.truth(query, "sendInitialEvents")
        if initial and query.get("resourceVersionMatch") != "NotOlderThan":
            raise problems.ApiError(
                422,
                "Invalid",
                'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden:'
                " sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
            )
        matches = requests.wanted(query)
        seconds = float(query.get("timeoutSeconds") or LONGEST)
        bookmarks = requests.truth(query, "allowWatchBookmarks")
        since: int | None = version or None
        if initial:
            since = None
        first = partial(self._first, target, query, bookmarks and initial)
        return self._stream(target, matches, since, first, seconds, bookmarks)

    async def _stream(
        self,
        target: Target,
        matches: Filter,
        since: int | None,
        first: "partial[Iterator[bytes]]",
        seconds: float,
        bookmarks: bool,
    ) -> AsyncIterator[bytes]:
        end = anyio.current_time() + seconds
        reached = self._store.version if since is None else since
        if since is None:
            for batch in first():
                yield batch
                await anyio.lowlevel.checkpoint()
        bookmark_at = anyio.current_time() + BOOKMARK_EVERY
        while not self._closed and (now := anyio.current_time()) < end:
            woken = anyio.Event()
            self._woken.add(woken)
            try:
                lines, reached = self._news(target, matches, reached)
                if lines:
                    yield lines
                elif now >= bookmark_at:
                    bookmark_at = now + BOOKMARK_EVERY
                    if bookmarks:
                        yield _bookmark(target, reached)
                else:
                    with anyio.move_on_after(min(end, bookmark_at) - now):
                        await woken.wait()
            except problems.ApiError as error:
                yield _line("ERROR", _encode(error.status()))
                return
            finally:
                self._woken.discard(woken)

    def _first(self, target: Target, query: Mapping[str, str], mark: bool) -> Iterator[bytes]:
        """All objects that there are now, and a mark after the last."""
        version, items = self._store.version, self._lists.items(target, query)
        for start in range(0, len(items), BATCH):
            batch = items[start : start + BATCH]
            yield b"".join(_line("ADDED", _encode(item)) for item in batch)
        if mark:
            yield _bookmark(target, version, end=True)

    def _news(self, target: Target, matches: Filter, since: int) -> tuple[bytes, int]:
        """The lines of the changes after a version, and the version that they reach."""
        version = self._store.version
        changes = self._store.changes(target.resource.kind, since)
        if target.namespace:
            changes = [
                change
                for change in changes
                if change.object["metadata"].get("namespace") == target.namespace
            ]
        if target.name:
            changes = [c for c in changes if c.object["metadata"]["name"] == target.name]
        return b"".join(_lines(changes, matches)), max(version, since)

    def _note(self, _: str, __: Change) -> None:
        self._wake()

    def _wake(self) -> None:
        for woken in self._woken:
            woken.set()


def _lines(changes: Sequence[Change], matches: Filter) -> Iterator[bytes]:
    """Lines as one who sees only what matches sees them."""
    for change in changes:
        before = change.before is not None and matches(change.before)
        after = change.type != "DELETED" and matches(change.object)
        if before or after:
            type_ = "MODIFIED" if before and after else "ADDED" if after else "DELETED"
            yield _line(type_, change.encoded())


def _line(type_: str, encoded: bytes) -> bytes:
    return b'{"type":"%s","object":%s}\n' % (type_.encode(), encoded)


def _bookmark(target: Target, version: int, *, end: bool = False) -> bytes:
    metadata: Manifest = {"resourceVersion": str(version), "creationTimestamp": None}
    if end:
        metadata["annotations"] = {"k8s.io/initial-events-end": "true"}
    resource = target.resource
    bookmark = {"kind": resource.kind, "apiVersion": resource.api_version, "metadata": metadata}
    return _line("BOOKMARK", _encode(bookmark))
