import { InfoCard, Progress, ResponseErrorPanel } from "@backstage/core-components";
import type { DiscoveryApi, FetchApi } from "@backstage/core-plugin-api";
import { discoveryApiRef, fetchApiRef, useApi } from "@backstage/core-plugin-api";
import { useEntity } from "@backstage/plugin-catalog-react";
import { useEffect, useState } from "react";

/** An entity's rollouts: a label selector of Kubernetes, as `app.kubernetes.io/name=checkout`. */
export const ANNOTATION = "rollgraph.io/label-selector";
/** Milliseconds. A catalogue page is looked at for a moment; who watches takes a subscription. */
const EVERY = 10_000;

const QUERY = `
  query EntityRollouts($labels: String!) {
    rollouts(filter: { labelSelector: $labels }, first: 50) {
      partial
      nodes {
        id
        clusterName
        namespace
        name
        phase
        message
        progress {
          stepsCompleted
          stepsTotal
        }
      }
    }
  }
`;

type Rollout = {
  id: string;
  clusterName: string;
  namespace: string;
  name: string;
  phase: string;
  message: string;
  progress: { stepsCompleted: number; stepsTotal: number } | null;
};
type Answer = { partial: boolean; nodes: Rollout[] };

/** Asks by Backstage's proxy (`proxy.endpoints./rollgraph`), which knows the server's address. */
async function ask(discovery: DiscoveryApi, { fetch }: FetchApi, labels: string): Promise<Answer> {
  const response = await fetch(`${await discovery.getBaseUrl("proxy")}/rollgraph/graphql`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ query: QUERY, variables: { labels } }),
  });
  const { data, errors } = (await response.json()) as {
    data?: { rollouts: Answer };
    errors?: { message: string }[];
  };
  if (!data) throw new Error(errors?.[0]?.message ?? `HTTP ${response.status}`);
  return data.rollouts;
}

/** The rollouts of an entity, in every cluster. */
export function RolloutCard() {
  const labels = useEntity().entity.metadata.annotations?.[ANNOTATION];
  const discovery = useApi(discoveryApiRef);
  const fetchApi = useApi(fetchApiRef);
  const [answer, setAnswer] = useState<Answer>();
  const [error, setError] = useState<Error>();

  useEffect(() => {
    if (labels === undefined) return undefined;
    let shown = true;
    const look = async () => {
      try {
        const found = await ask(discovery, fetchApi, labels);
        if (shown) {
          setAnswer(found);
          setError(undefined);
        }
      } catch (failed) {
        if (shown) setError(failed as Error);
      }
    };
    void look();
    const timer = setInterval(look, EVERY);
    return () => {
      shown = false;
      clearInterval(timer);
    };
  }, [labels, discovery, fetchApi]);

  if (labels === undefined) return null;
  return (
    <InfoCard title="Rollouts">
      {error && <ResponseErrorPanel error={error} />}
      {!answer && !error && <Progress />}
      {answer?.partial && <p>A cluster cannot be read at the moment: there may be more.</p>}
      <ul>
        {answer?.nodes.map(({ id, clusterName, namespace, name, phase, message, progress }) => (
          <li key={id} title={message}>
            <b>{phase}</b> {clusterName}/{namespace}/{name}
            {progress && ` at step ${progress.stepsCompleted} of ${progress.stepsTotal}`}
          </li>
        ))}
      </ul>
    </InfoCard>
  );
}
