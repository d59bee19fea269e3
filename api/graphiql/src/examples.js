// The tabs that are open at the first visit; later visits find their own.

import abort from "./examples/abort.graphql";
import bulk from "./examples/bulk.graphql";
import clusters from "./examples/clusters.graphql";
import needSomebody from "./examples/need-somebody.graphql";
import oneRollout from "./examples/one-rollout.graphql";
import pages from "./examples/pages.graphql";
import promote from "./examples/promote.graphql";
import watch from "./examples/watch.graphql";
import { ask } from "./fetcher.js";

// Milliseconds for the question below: the page must not wait for what is only nicer to have.
const PATIENCE = 2000;

const A_ROLLOUT = `{
  rollouts(first: 1, orderBy: [{ field: PHASE }]) { nodes { cluster: clusterName namespace name } }
}`;

const NOBODY = { cluster: "a-cluster", namespace: "a-namespace", name: "a-rollout" };

/** The examples, in GraphiQL's form of tabs. */
export async function examples() {
  const key = await aRollout();
  const named = text({ rollout: { key } });
  return [
    { query: needSomebody },
    { query: oneRollout, variables: text(key) },
    { query: watch, variables: named },
    { query: promote, variables: named },
    { query: abort, variables: named },
    { query: bulk },
    { query: clusters },
    { query: pages, variables: text({ first: 20, after: null }) },
  ];
}

/** A rollout that there is, the most urgent first: an example with it can be run as it stands. */
async function aRollout() {
  const late = new Promise((resolve) => setTimeout(resolve, PATIENCE));
  try {
    const answer = await Promise.race([ask({ query: A_ROLLOUT }), late]);
    return answer?.data?.rollouts.nodes[0] ?? NOBODY;
  } catch {
    return NOBODY; // the same trouble will show in the first answer, where it can be read
  }
}

function text(variables) {
  return JSON.stringify(variables, null, 2);
}
