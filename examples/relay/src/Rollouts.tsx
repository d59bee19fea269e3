import { graphql, useFragment, useLazyLoadQuery, usePaginationFragment } from "react-relay";

import type { Rollouts_list$key } from "./__generated__/Rollouts_list.graphql";
import type { Rollouts_row$key } from "./__generated__/Rollouts_row.graphql";
import type { RolloutsQuery } from "./__generated__/RolloutsQuery.graphql";

/** All rollouts, the last that changed first, ten at a time. */
export function Rollouts() {
  const data = useLazyLoadQuery<RolloutsQuery>(
    graphql`
      query RolloutsQuery {
        ...Rollouts_list @arguments(count: 10)
      }
    `,
    {},
  );
  return <List fleet={data} />;
}

function List({ fleet }: { fleet: Rollouts_list$key }) {
  const { data, hasNext, isLoadingNext, loadNext } = usePaginationFragment(
    graphql`
      fragment Rollouts_list on Query
      @argumentDefinitions(count: { type: "Int", defaultValue: 10 }, cursor: { type: "String" })
      @refetchable(queryName: "RolloutsPageQuery") {
        rollouts(
          first: $count
          after: $cursor
          orderBy: [{ field: UPDATED_AT, direction: DESC }]
        ) @connection(key: "Rollouts_rollouts") {
          edges {
            node {
              id
              ...Rollouts_row
            }
          }
        }
      }
    `,
    fleet,
  );
  return (
    <>
      <table>
        <thead>
          <tr>
            <th>Cluster</th>
            <th>Rollout</th>
            <th>Phase</th>
            <th>Steps</th>
          </tr>
        </thead>
        <tbody>
          {data.rollouts.edges.map(({ node }) => (
            <Row key={node.id} rollout={node} />
          ))}
        </tbody>
      </table>
      <button disabled={!hasNext || isLoadingNext} onClick={() => loadNext(10)}>
        More
      </button>
    </>
  );
}

function Row({ rollout }: { rollout: Rollouts_row$key }) {
  const { clusterName, namespace, name, phase, progress } = useFragment(
    graphql`
      fragment Rollouts_row on Rollout {
        clusterName
        namespace
        name
        phase
        progress {
          stepsCompleted
          stepsTotal
        }
      }
    `,
    rollout,
  );
  return (
    <tr>
      <td>{clusterName}</td>
      <td>
        {namespace}/{name}
      </td>
      <td>{phase}</td>
      <td>{progress && `${progress.stepsCompleted}/${progress.stepsTotal}`}</td>
    </tr>
  );
}
