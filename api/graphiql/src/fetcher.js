// How GraphiQL asks: one POST to the endpoint that served the page, and for a subscription one whose
// answer goes on: server-sent events, which need no more than the page has. A WebSocket cannot carry
// the header that a login wants.

import { createClient } from "graphql-sse";

import { ended, headers as proof } from "./session.js";

const ENDPOINT = "/graphql";

/**
 * A GraphiQL fetcher. What is no answer in JSON becomes an error in the response pane that says
 * what came instead.
 */
export async function ask({ query, variables, operationName }, { headers } = {}) {
  const name = names(query, operationName) ? operationName : undefined;
  if (subscribes(query, name)) return events({ query, variables, operationName: name }, headers);
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
      operationName: name,
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

/** Whether the operation that is meant is a subscription. */
function subscribes(query, name) {
  const kinds = [...query.matchAll(/^\s*(query|mutation|subscription)\b\s*(\w*)/gm)];
  const meant = name ? kinds.find(([, , its]) => its === name) : kinds[0];
  return meant?.[1] === "subscription";
}

/** The answers to a subscription, as they come. A connection that breaks is made again. */
async function* events(operation, headers) {
  const client = createClient({
    url: ENDPOINT,
    headers: () => ({ ...proof(), ...headers }),
    fetchFn: asked,
  });
  try {
    yield* client.iterate(operation);
  } catch (error) {
    throw error.response ? await said(error.response) : error;
  } finally {
    client.dispose();
  }
}

async function asked(...request) {
  const answer = await fetch(...request);
  if (answer.status === 401) ended();
  return answer;
}

/** What an answer says that is no stream. */
async function said(answer) {
  const text = await answer.text().catch(() => "");
  return new Error(`${answer.status} ${answer.statusText}: ${text.slice(0, 500)}`);
}
