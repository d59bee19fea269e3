// How GraphiQL asks: one POST to the endpoint that served the page.

const ENDPOINT = "/graphql";

/**
 * A GraphiQL fetcher. What is no answer in JSON becomes an error in the response pane that says
 * what came instead.
 */
export async function ask(operation, { headers } = {}) {
  const answer = await fetch(ENDPOINT, {
    method: "POST",
    headers: {
      accept: "application/graphql-response+json, application/json;q=0.9",
      "content-type": "application/json",
      ...headers,
    },
    body: JSON.stringify(operation),
  });
  const text = await answer.text();
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`${answer.status} ${answer.statusText}: ${text.slice(0, 500)}`);
  }
}
