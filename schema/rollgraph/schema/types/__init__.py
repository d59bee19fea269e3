"""GraphQL types: thin wrappers; nothing is derived here that core could say."""
