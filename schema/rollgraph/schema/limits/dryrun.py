"""Operations that are measured and not executed: those with `rateLimit(dryRun: true)`."""

from collections.abc import Iterator, Mapping
from typing import Any

from graphql import (
    BooleanValueNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    NamedTypeNode,
    OperationDefinitionNode,
    OperationType,
    SelectionNode,
    SelectionSetNode,
    VariableNode,
)

FIELD, ARGUMENT = "rateLimit", "dryRun"


def only_measured(
    document: DocumentNode, operation: OperationDefinitionNode, variables: Mapping[str, Any]
) -> DocumentNode | None:
    """What is executed instead of an operation that wants only to be measured.

    It asks for `rateLimit` alone. None for any other operation. The document has to be valid.
    """
    if operation.operation is not OperationType.QUERY:
        return None
    fragments = {
        each.name.value: each
        for each in document.definitions
        if isinstance(each, FragmentDefinitionNode)
    }
    rest = [*_rest(operation.selection_set.selections, fragments)]
    defaults = {
        each.variable.name.value: getattr(each.default_value, "value", None)
        for each in operation.variable_definitions or ()
    }
    if not any(_is_dry(field, {**defaults, **variables}) for field in _fields(rest)):
        return None
    alone = _with(operation, rest)
    return DocumentNode(
        definitions=tuple(alone if each is operation else each for each in document.definitions)
    )


def _rest(
    selections: tuple[SelectionNode, ...], fragments: Mapping[str, FragmentDefinitionNode]
) -> Iterator[SelectionNode]:
    """What is left of selections without other fields; fragments are put in their places."""
    for each in selections:
        match each:
            case FieldNode() if each.name.value == FIELD:
                yield each
            case InlineFragmentNode():
                yield from _within(each, each.type_condition, each.selection_set, fragments)
            case FragmentSpreadNode():
                found = fragments[each.name.value]
                yield from _within(each, found.type_condition, found.selection_set, fragments)
            case _:
                pass


def _within(
    spread: InlineFragmentNode | FragmentSpreadNode,
    condition: NamedTypeNode | None,
    selected: SelectionSetNode,
    fragments: Mapping[str, FragmentDefinitionNode],
) -> Iterator[InlineFragmentNode]:
    rest = tuple(_rest(selected.selections, fragments))
    if rest:
        yield InlineFragmentNode(
            type_condition=condition,
            directives=spread.directives,
            selection_set=SelectionSetNode(selections=rest),
        )


def _fields(selections: list[SelectionNode]) -> Iterator[FieldNode]:
    for each in selections:
        if isinstance(each, FieldNode):
            yield each
        elif isinstance(each, InlineFragmentNode):
            yield from _fields([*each.selection_set.selections])


def _is_dry(field: FieldNode, variables: Mapping[str, Any]) -> bool:
    for argument in field.arguments or ():
        if argument.name.value == ARGUMENT:
            value = argument.value
            if isinstance(value, VariableNode):
                return variables.get(value.name.value) is True
            return isinstance(value, BooleanValueNode) and value.value
    return False


def _with(
    operation: OperationDefinitionNode, selections: list[SelectionNode]
) -> OperationDefinitionNode:
    return OperationDefinitionNode(
        operation=operation.operation,
        name=operation.name,
        variable_definitions=operation.variable_definitions,
        directives=operation.directives,
        selection_set=SelectionSetNode(selections=tuple(selections)),
        loc=operation.loc,
    )
