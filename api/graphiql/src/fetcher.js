// How GraphiQL asks: one POST to the endpoint that served the page.

import { ended, headers as proof } from "./session.js";

const ENDPOINT = "/graphql";

/**
 * A GraphiQL fetcher. What is no answer in JSON becomes an error in the response pane that says
 * what came instead.
 */
export async function ask({ query, variables, operationName }, { headers } = {}) {
  const answer = await fetch(ENDPOINT, {
    method: "POST",
    headers: {
      accept: "application/graphql-response+json, application/json;q=0.9",
      "content-type": "application/json",
      ...proof(),
      ...headers,
    },
    body: JSON.stringify({
      query,
      variables,
      operationName: names(query, operationName) ? operationName : undefined,
    }),
  });
  if (answer.status === 401) ended();
  const text = await answer.text();
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`${answer.status} ${answer.statusText}: ${text.slice(0, 500)}`);
  }
}

/**
 * Whether a document has an operation of that name. For the first 100 ms in a tab GraphiQL gives
 * the name of the last tab's: who is quick would be told that there is no such operation.
 */
function names(query, operationName) {
  return new RegExp(`\\b(query|mutation|subscription)\\s+${operationName}\\b`).test(query);
}
