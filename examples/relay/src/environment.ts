import type { FetchFunction } from "relay-runtime";
import { Environment, Network, RecordSource, Store } from "relay-runtime";

/** Asks Rollgraph. An error that a page can show is thrown with its code. */
const ask: FetchFunction = async ({ text }, variables) => {
  const response = await fetch("/graphql", {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      Accept: "application/graphql-response+json",
    },
    body: JSON.stringify({ query: text, variables }),
  });
  return response.json();
};

export const environment = new Environment({
  network: Network.create(ask),
  store: new Store(new RecordSource()),
});
