// What a public schema should be like, by @graphql-eslint: all of its rules for schemas and for Relay,
// but those below, each with the reason why it is off.
import graphql from '@graphql-eslint/eslint-plugin';

const { rules: recommended } = graphql.configs['flat/schema-recommended'];
const { rules: relay } = graphql.configs['flat/schema-relay'];

export default [
  {
    files: ['**/*.graphql'],
    plugins: { '@graphql-eslint': graphql },
    languageOptions: {
      parser: graphql.parser,
      parserOptions: { graphQLConfig: { schema: './schema.graphql' } },
    },
    rules: {
      ...recommended,
      ...relay,
      // Only nodes have an id. What has none belongs to one that has, and is cached with it.
      '@graphql-eslint/strict-id-in-types': 'off',
      // Connections have `nodes` beside `edges`, as GitHub's: half of the clients want no cursors.
      // Kubernetes' events are no nodes: they are gone after an hour, and nobody links to one. The test
      // beside this file holds all other edges to it.
      '@graphql-eslint/relay-edge-types': [
        'error',
        { listTypeCanWrapOnlyEdgeType: false, shouldImplementNode: false },
      ],
    },
  },
];
