"""The GraphQL schema: types that wrap core's views, and the roots that find them in the mirror."""
