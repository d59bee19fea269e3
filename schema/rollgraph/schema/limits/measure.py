"""Measuring an operation with its fragments in place, each selection set once.

Walking a fragment wherever it is spread takes as long as the answer would be large: a ladder of 20
fragments, each of which spreads the next one twice, has a million leaves in 700 bytes. So a
selection set is measured by itself, children first, and whoever contains it adds what is known.

Fragments that do not exist, or spread themselves, and fields that do not exist count nothing here:
the rules of GraphQL report them.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLNamedType,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
)

from rollgraph.schema.limits.costs import Costs
from rollgraph.schema.limits.values import Figures

# What tells the schema; `_service` has it as text, for a federation's router.
_INTROSPECTION = frozenset({"__schema", "__type", "_service"})
Typed = tuple[SelectionSetNode, GraphQLNamedType | None]
# A name in the answer, or `...` for a fragment, and the points for asking for it again.
# Validation compares each with each (OverlappingFieldsCanBeMerged), objects with all that is in
# them: a pair of leaves takes it 0.4 us, of fragments 6 us, of objects 9 us and more.
Asked = tuple[str, int]
_LEAF, _FRAGMENT, _OBJECT = 1, 5, 10


@dataclass(slots=True)
class Measure:
    """What a selection set amounts to.

    Attributes:
        depth: Fields within each other.
        cost: What it costs, without the rows.
        rows: What one row costs of the connection whose selection this is.
        objects: Objects of the answer, without the rows: the cost without any weight.
        row_objects: Objects of one row.
        introspection: What it costs to be told the schema.
        aliases: Fields under another name.
        directives: Directives.
        fields: Fields of its own level.
        repeats: Points for what the levels below ask for again (`Asked`).
        asked: How often the own level asks for the same.
    """

    depth: int = 0
    cost: int = 0
    rows: int = 0
    objects: int = 0
    row_objects: int = 0
    introspection: int = 0
    aliases: int = 0
    directives: int = 0
    fields: int = 0
    repeats: int = 0
    asked: dict[Asked, int] = field(default_factory=dict)

    def ask(self, what: Asked, times: int = 1) -> None:
        """Notes what the own level asks for."""
        self.asked[what] = self.asked.get(what, 0) + times

    def all_repeats(self) -> int:
        """The points of all levels."""
        return self.repeats + sum((times - 1) * points for (_, points), times in self.asked.items())

    def include(self, other: "Measure") -> None:
        """Adds what a fragment brings to the same level."""
        self.depth = max(self.depth, other.depth)
        self.cost += other.cost
        self.rows += other.rows
        self.objects += other.objects
        self.row_objects += other.row_objects
        self.introspection += other.introspection
        self.aliases += other.aliases
        self.directives += other.directives
        self.fields += other.fields
        self.repeats += other.repeats
        for what, times in other.asked.items():
            self.ask(what, times)


class Measurer:
    """Measures one document.

    Args:
        costs: What fields cost.
        document: The document.
        figures: What its variables amount to.

    Attributes:
        visits: Selections that have been looked at so far, a measure of our own work.
    """

    def __init__(self, costs: Costs, document: DocumentNode, figures: Figures) -> None:
        self._costs = costs
        self._figures = figures
        self._fragments = {
            definition.name.value: definition
            for definition in document.definitions
            if isinstance(definition, FragmentDefinitionNode)
        }
        # By identity: nodes compare by content, which takes as long as all of it.
        self._done: dict[int, Measure] = {}
        self.visits = 0

    def measure(self, operation: OperationDefinitionNode) -> Measure:
        """Measures an operation of the document."""
        root = operation.selection_set
        for selections, parent in self._children_first(
            (root, self._costs.root(operation.operation))
        ):
            self._done[id(selections)] = self._sum(selections.selections, parent)
        measure = self._done[id(root)]
        measure.directives += len(operation.directives or ())
        return measure

    def _children_first(self, root: Typed) -> Iterator[Typed]:
        """Every selection set that a root contains, after those that it contains itself."""
        seen: set[int] = set()
        path: list[tuple[Typed, Iterator[Typed]]] = [(root, self._children(root))]
        while path:
            here, children = path[-1]
            child = next(children, None)
            if child is None:
                path.pop()
                yield here
            elif id(child[0]) not in seen:
                seen.add(id(child[0]))
                path.append((child, self._children(child)))

    def _children(self, parent: Typed) -> Iterator[Typed]:
        selections, type_ = parent
        for selection in selections.selections:
            self.visits += 1
            match selection:
                case FieldNode() if selection.selection_set:
                    returns = self._costs.of(type_, selection.name.value).returns
                    yield selection.selection_set, returns
                case InlineFragmentNode():
                    condition = selection.type_condition
                    on = self._costs.named(condition.name.value) if condition else type_
                    yield selection.selection_set, on
                case FragmentSpreadNode():
                    fragment = self._fragments.get(selection.name.value)
                    if fragment is not None:
                        on = self._costs.named(fragment.type_condition.name.value)
                        yield fragment.selection_set, on
                case _:
                    pass

    def _sum(self, selections: Iterable[SelectionNode], parent: GraphQLNamedType | None) -> Measure:
        total = Measure()
        for selection in selections:
            self.visits += 1
            total.directives += len(selection.directives or ())
            inner = self._inner(selection)
            if isinstance(selection, FieldNode):
                self._add_field(total, selection, parent, inner)
                continue
            total.include(inner)
            if isinstance(selection, FragmentSpreadNode):
                total.ask(("...", _FRAGMENT))
        return total

    def _inner(self, selection: SelectionNode) -> Measure:
        """What is known of the selections of a field or fragment; nothing within a cycle."""
        if isinstance(selection, FragmentSpreadNode):
            fragment = self._fragments.get(selection.name.value)
            selections = fragment.selection_set if fragment else None
        else:
            assert isinstance(selection, FieldNode | InlineFragmentNode)
            selections = selection.selection_set
        return self._done.get(id(selections), _EMPTY)

    def _add_field(
        self, total: Measure, node: FieldNode, parent: GraphQLNamedType | None, inner: Measure
    ) -> None:
        name = node.name.value
        total.fields += 1
        total.aliases += inner.aliases + (node.alias is not None)
        total.directives += inner.directives
        total.repeats += inner.all_repeats()
        shown = node.alias.value if node.alias else name
        total.ask((shown, _OBJECT if node.selection_set else _LEAF))
        if name in _INTROSPECTION:
            total.introspection += 1 + inner.cost
            total.depth = max(total.depth, 1)
            return
        total.introspection += inner.introspection
        self._add_cost(total, node, parent, inner)

    def _add_cost(
        self, total: Measure, node: FieldNode, parent: GraphQLNamedType | None, inner: Measure
    ) -> None:
        cost = self._costs.of(parent, node.name.value)
        weight = cost.weight_in(node, self._figures)
        size = cost.size_in(node, self._figures)
        # `edges` is where Relay's clients say `edges { node }` for `nodes`, which is no deeper.
        total.depth = max(
            total.depth, inner.depth + (not (cost.is_rows and node.name.value == "edges"))
        )
        if cost.returns is None:
            total.cost += weight
        elif cost.is_rows:
            total.rows += weight + 1 + inner.cost
            total.row_objects += 1 + inner.objects
        elif cost.sizes_rows:
            total.cost += weight + 1 + inner.cost + size * inner.rows
            total.objects += 1 + inner.objects + size * inner.row_objects
        else:
            total.cost += weight + size * (1 + inner.cost)
            total.objects += size * (1 + inner.objects)


_EMPTY = Measure()
