// The list of a portal: a page that goes on while one scrolls, and rows that are read anew by their id.
import { graphql, useLazyLoadQuery, usePaginationFragment, useRefetchableFragment } from 'react-relay';

export const rolloutsQuery = graphql`
  query RolloutsQuery($filter: RolloutFilter, $first: Int = 50) {
    gateway {
      version
    }
    ...Rollouts_page @arguments(filter: $filter, first: $first)
  }
`;

export const rolloutsPage = graphql`
  fragment Rollouts_page on Query
  @argumentDefinitions(
    filter: { type: "RolloutFilter" }
    first: { type: "Int", defaultValue: 50 }
    after: { type: "String" }
  )
  @refetchable(queryName: "RolloutsPageQuery") {
    rollouts(filter: $filter, first: $first, after: $after) @connection(key: "Rollouts_rollouts") {
      totalCount
      partial
      edges {
        node {
          id
          ...Rollouts_row
        }
      }
    }
  }
`;

export const rolloutsRow = graphql`
  fragment Rollouts_row on Rollout @refetchable(queryName: "RolloutsRowQuery") {
    name
    namespace
    phase
    message
    cluster {
      name
    }
    progress {
      percent
      waiting {
        message
        human
      }
    }
    steps {
      __typename
      index
      label
      state
    }
    ...Pods_of
  }
`;

export function Rollouts({ filter }) {
  const query = useLazyLoadQuery(rolloutsQuery, { filter });
  const { data, loadNext } = usePaginationFragment(rolloutsPage, query);
  return { rows: data.rollouts.edges.map(({ node }) => node), more: () => loadNext(50) };
}

export function Row({ rollout }) {
  return useRefetchableFragment(rolloutsRow, rollout);
}
