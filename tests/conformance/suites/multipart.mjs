// What Apollo Client makes of an endpoint's multipart: node multipart.mjs URL. Prints what it got as JSON.
import { ApolloClient, gql, HttpLink, InMemoryCache } from '@apollo/client';

const url = process.argv[2];

/** All that a subscription brings, with the protocol's own errors, until it ends. */
function answers(query, { token = 'good', each = () => {} } = {}) {
  const link = new HttpLink({ uri: url, headers: { authorization: `Bearer ${token}` } });
  const client = new ApolloClient({ link, cache: new InMemoryCache() });
  const found = [];
  return new Promise((resolve) => {
    client.subscribe({ query: gql(query), errorPolicy: 'all' }).subscribe({
      next: ({ data, error }) => {
        found.push(error ? { name: error.name, errors: error.errors, data } : { data });
        each(found.length);
      },
      error: (error) => resolve([...found, { name: error.name, errors: error.errors }]),
      complete: () => resolve([...found, 'complete']),
    });
  });
}

const restart = () => fetch(url.replace('graphql', 'restart'), { method: 'POST' });
console.log(
  JSON.stringify({
    few: await answers('subscription { ticks(most: 3, every: 0) { number } }'),
    // Longer than between two signs of life.
    quiet: await answers('subscription { ticks(most: 2, every: 1.2) { number } }'),
    invalid: await answers('subscription { nothing }'),
    bug: await answers('subscription { breaks }'),
    expired: await answers('subscription { ticks(every: 9) { number } }', { token: 'short' }),
    restarted: await answers('subscription { ticks(every: 9) { number } }', { each: restart }),
  }),
);
process.exit(0); // which waits for kept connections otherwise
