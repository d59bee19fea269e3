"""The schema as text: for clients as it is, for a federation's router with what that adds."""

from dataclasses import replace
from typing import Any

from graphql import (
    DirectiveDefinitionNode,
    DirectiveNode,
    DocumentNode,
    FieldDefinitionNode,
    NamedTypeNode,
    Node,
    SchemaDefinitionNode,
    StringValueNode,
    TypeDefinitionNode,
    Visitor,
    parse,
    print_ast,
    visit,
)
from graphql.language.visitor import REMOVE, VisitorAction
from strawberry.federation import Schema

# A router knows these by the specification that the schema links; for all others they have to be
# defined, or no tool can read the text.
DEFINITIONS = {
    "authenticated": '''
        """Only for callers who have shown who they are, if the gateway asks for that."""
        directive @authenticated on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM
    ''',
    "requiresScopes": '''
        """What a token must be good for, if it was narrowed: all scopes of one of the lists."""
        directive @requiresScopes(scopes: [[String!]!]!) on
            | FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM
    ''',
    "key": '''
        """The fields by which a router finds an object of this type."""
        directive @key(fields: String!, resolvable: Boolean = true) repeatable
            on OBJECT | INTERFACE
    ''',
    "cost": '''
        """What a field or argument weighs in the cost of a request."""
        directive @cost(weight: Int!) on
            | ARGUMENT_DEFINITION | ENUM | FIELD_DEFINITION
            | INPUT_FIELD_DEFINITION | OBJECT | SCALAR
    ''',
    "listSize": '''
        """How long a list can be, for the cost of a request."""
        directive @listSize(
            assumedSize: Int
            slicingArguments: [String!]
            sizedFields: [String!]
            requireOneSlicingArgument: Boolean = true
        ) on FIELD_DEFINITION
    ''',
}
DESCRIPTIONS = {"oneOf": "Exactly one of the fields is given, and it is not null."}
# What a subgraph has for its router alone.
_ROUTER_DIRECTIVES = frozenset({"inaccessible"})
_ROUTER_FIELDS = frozenset({"_entities", "_service"})
_ROUTER_TYPES = frozenset({"_Any", "_Entity", "_Service"})


def subgraph_sdl(schema: Schema) -> str:
    """The schema as a Federation 2 subgraph, as a composition takes it in."""
    return schema.as_str() + "\n"


def api_sdl(schema: Schema) -> str:
    """The schema as clients see it, with every directive defined that it applies."""
    document: DocumentNode = visit(parse(schema.as_str()), _ForClients())
    applied = _Applied()
    visit(document, applied)
    used = (parse(text) for name, text in DEFINITIONS.items() if name in applied.names)
    definitions = [print_ast(directive) for directive in used]
    return "\n\n".join([*definitions, print_ast(document)]) + "\n"


class _ForClients(Visitor):
    """Takes out what is for a router."""

    def enter_schema_definition(self, node: SchemaDefinitionNode, *_: Any) -> VisitorAction:
        return REMOVE if _only_query(node) else None

    def enter_directive(self, node: DirectiveNode, *_: Any) -> VisitorAction:
        return REMOVE if node.name.value in _ROUTER_DIRECTIVES else None

    def leave_directive_definition(
        self, node: DirectiveDefinitionNode, *_: Any
    ) -> DirectiveDefinitionNode | None:
        # Every server has the directive, and strawberry defines it without a word.
        said = DESCRIPTIONS.get(node.name.value)
        if node.description is not None or said is None:
            return None
        return replace(node, description=StringValueNode(value=said, block=True))

    def enter_field_definition(self, node: FieldDefinitionNode, *_: Any) -> VisitorAction:
        return REMOVE if node.name.value in _ROUTER_FIELDS else None

    def enter(self, node: Node, *_: Any) -> VisitorAction:
        if isinstance(node, TypeDefinitionNode) and node.name.value in _ROUTER_TYPES:
            return REMOVE
        return None


def _only_query(node: SchemaDefinitionNode) -> bool:
    """True for a definition that only says what is so anyway: roots by their usual names."""
    roots: list[NamedTypeNode] = [operation.type for operation in node.operation_types]
    return all(root.name.value in ("Query", "Mutation", "Subscription") for root in roots)


class _Applied(Visitor):
    """Collects the names of applied directives."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def enter_directive(self, node: DirectiveNode, *_: Any) -> None:
        """Notes one."""
        self.names.add(node.name.value)
