"""The GraphQL schema: types that wrap core's views, and the roots that find them in the mirror."""

# Core's enums get their public names before any type refers to one: strawberry would else make one
# up for it, and the schema would have two.
import rollgraph.schema.enums  # noqa: F401
