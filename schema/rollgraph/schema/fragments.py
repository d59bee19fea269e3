"""Parts of answers, kept as ready JSON.

Most of what is asked of a rollout depends on nothing but its view, and a view never changes: a
rollout that changes gets another. So the fields that a request selects on a rollout are executed
once per view, and their JSON is kept. Fields that ask for anything else (the time, a cluster's
state, another rollout) are executed each time; `Context` notes whether a field did.

The answer is the same to the byte, whether a part of it was kept or not (tests/unit/schema/
test_fragments.py holds it to that with random queries over a changing fleet).
"""

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple, TypeAlias

import orjson
from graphql import FieldNode, FragmentDefinitionNode, FragmentSpreadNode, Node, VariableNode

from rollgraph.core.refs import RolloutRef
from rollgraph.core.view import RolloutView

# Bytes of JSON. A list's row has some 500 bytes: this holds a dozen lists of 10,000 rollouts.
MAX_BYTES = 64 * 1024 * 1024
# Selections whose parts are kept; the least recently used goes first.
MAX_SELECTIONS = 512


class Piece(NamedTuple):
    """Fields that follow each other in an answer.

    Attributes:
        json: `"name":value,...` of fields that depend on the view alone, or b"".
        name: The answer's name of the one field that has to be executed each time, or "".
    """

    json: bytes
    name: str


class Kept(NamedTuple):
    """The part of an answer that is about one rollout.

    Attributes:
        view: What it was made of; it is of no use for another.
        whole: The part itself, where nothing has to be executed; else None.
        pieces: What the part is put together from otherwise.
    """

    view: RolloutView
    whole: orjson.Fragment | None
    pieces: tuple[Piece, ...]
    size: int


def kept(view: RolloutView, fields: Iterable[tuple[str, bytes, bool]]) -> Kept:
    """Makes a part out of its fields in order: name, JSON, and whether the view alone decides."""
    pieces: list[Piece] = []
    run: list[bytes] = []
    for name, json, settled in fields:
        if settled:
            run.append(member(name, json))
            continue
        if run:
            pieces.append(Piece(b",".join(run), ""))
            run = []
        pieces.append(Piece(b"", name))
    if run:
        pieces.append(Piece(b",".join(run), ""))
    settled_part = all(not piece.name for piece in pieces)
    whole = together(piece.json for piece in pieces) if settled_part else None
    size = sum(len(piece.json) for piece in pieces)
    return Kept(view, whole, () if settled_part else tuple(pieces), size)


def member(name: str, json: bytes) -> bytes:
    """One member of a JSON object."""
    return b'"%b":%b' % (name.encode(), json)  # a GraphQL name has nothing to escape


def together(members: Iterable[bytes]) -> orjson.Fragment:
    """A JSON object of members."""
    return orjson.Fragment(b"{%b}" % b",".join(members))


class Selection:
    """The parts that answer one selection, by rollout."""

    def __init__(self) -> None:
        self.parts: dict[RolloutRef, Kept] = {}
        self.size = 0

    def part(self, view: RolloutView) -> Kept | None:
        """The part made of this very view."""
        found = self.parts.get(view.ref)
        return found if found is not None and found.view is view else None


class _Text(NamedTuple):
    """Nodes of a document, and the variables that what they select depends on."""

    # Held, so that no other node can take the place of one in memory, and with it its id.
    nodes: tuple[FieldNode, ...]
    variables: tuple[str, ...]


# Nodes, values of variables, and the scopes of the caller's token.
_Key: TypeAlias = tuple[tuple[int, ...], str, frozenset[str]]


class FragmentCache:
    """Keeps parts of answers, within bounds.

    Args:
        max_bytes: Bytes of JSON that are kept; beyond, the least recently used selection goes.

    Attributes:
        hits, misses: How many rollouts of answers were there, as a whole or in part, or were not.
    """

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._selections: OrderedDict[_Key, Selection] = OrderedDict()
        self._texts: OrderedDict[tuple[int, ...], _Text] = OrderedDict()
        self.size = 0
        self.hits = self.misses = 0

    def selection(
        self,
        nodes: tuple[FieldNode, ...],
        fragments: Mapping[str, FragmentDefinitionNode],
        values: Mapping[str, Any],
        scopes: frozenset[str] = frozenset(),
    ) -> Selection:
        """The parts of what the nodes select with these values of variables, for these scopes.

        A rollout is shown as a whole or not at all; but below it a field may need a scope.

        Nodes are told apart by identity: the parser's cache gives the same ones for the same text.
        """
        ids = tuple([id(node) for node in nodes])
        text = self._text(ids, nodes, fragments)
        used = repr([values.get(name) for name in text.variables]) if text.variables else ""
        key = (ids, used, scopes)
        found = self._selections.get(key)
        if found is None:
            found = self._selections[key] = Selection()
            self._bound()
        else:
            self._selections.move_to_end(key)
        return found

    def keep(self, selection: Selection, part: Kept) -> None:
        """Keeps a part, in the place of the one of an earlier view."""
        before = selection.parts.get(part.view.ref)
        selection.parts[part.view.ref] = part
        growth = part.size - (before.size if before else 0)
        selection.size += growth
        self.size += growth
        self._bound()

    def _text(
        self,
        ids: tuple[int, ...],
        nodes: tuple[FieldNode, ...],
        fragments: Mapping[str, FragmentDefinitionNode],
    ) -> _Text:
        text = self._texts.get(ids)
        if text is None:
            names = tuple(sorted(set(variables_below(nodes, fragments))))
            text = self._texts[ids] = _Text(nodes, names)
            if len(self._texts) > MAX_SELECTIONS:
                self._forget(self._texts.popitem(last=False)[0])
        return text

    def _forget(self, ids: tuple[int, ...]) -> None:
        """Lets go of all that was kept for nodes that may now be reused in memory."""
        for key in [key for key in self._selections if key[0] == ids]:
            self._drop(self._selections.pop(key))

    def _bound(self) -> None:
        while self.size > self._max_bytes or len(self._selections) > MAX_SELECTIONS:
            self._drop(self._selections.popitem(last=False)[1])

    def _drop(self, selection: Selection) -> None:
        self.size -= selection.size
        # Whoever still holds it in a running request must not count what it adds.
        selection.size = 0
        selection.parts.clear()


def variables_below(
    nodes: Iterable[Node], fragments: Mapping[str, FragmentDefinitionNode]
) -> Iterator[str]:
    """The variables that occur below nodes, in the fragments that they spread too."""
    spread: set[str] = set()
    pending = list(nodes)
    while pending:
        node = pending.pop()
        if isinstance(node, VariableNode):
            yield node.name.value
        elif isinstance(node, FragmentSpreadNode) and node.name.value not in spread:
            spread.add(node.name.value)
            pending.append(fragments[node.name.value])
        pending.extend(_below(node))


def _below(node: Node) -> Iterator[Node]:
    for key in node.keys:
        value = getattr(node, key, None)
        if isinstance(value, Node):
            yield value
        elif isinstance(value, list | tuple):
            yield from (item for item in value if isinstance(item, Node))
