import { useQuery } from "urql";

import { graphql } from "./__generated__";

const FLEET = graphql(`
  query Fleet {
    rollouts(first: 100, filter: { strategy: [CANARY] }) {
      totalCount
      partial
      nodes {
        id
        clusterName
        namespace
        name
        phase
      }
    }
  }
`);

export type Key = { cluster: string; namespace: string; name: string };

type Props = { chosen: Key | undefined; choose: (key: Key) => void };

/** All canaries, by name; `partial` says that a cluster is missing. */
export function Fleet({ chosen, choose }: Props) {
  const [{ data, error }] = useQuery({ query: FLEET });
  if (error) return <p role="alert">{error.message}</p>;
  if (!data) return <p>…</p>;
  const { nodes, totalCount, partial } = data.rollouts;
  return (
    <nav>
      <p>
        {totalCount} canaries{partial && ", and perhaps more: a cluster cannot be read"}
      </p>
      {nodes.map(({ id, clusterName: cluster, namespace, name, phase }) => (
        <button
          key={id}
          aria-pressed={chosen?.cluster === cluster && chosen.name === name}
          onClick={() => choose({ cluster, namespace, name })}
        >
          <b>{name}</b> {cluster}/{namespace} <i data-phase={phase}>{phase}</i>
        </button>
      ))}
    </nav>
  );
}
