// Apollo Client's and urql's own ways to send hashes instead of documents: node persisted.mjs URL.
// Prints, for each way, the answers to the same question asked twice, and what was sent for them.
import { createHash } from 'node:crypto';
import { ApolloClient, gql, HttpLink, InMemoryCache } from '@apollo/client';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries';
import { Client, fetchExchange } from '@urql/core';
import { persistedExchange } from '@urql/exchange-persisted';

const [url] = process.argv.slice(2);
const sha256 = (text) => createHash('sha256').update(text).digest('hex');

/** A fetch that notes what is sent: the method, whether a document and a hash were, and the status. */
function noting(sent) {
  return async (target, init = {}) => {
    const parameters = new URL(target).searchParams;
    const body = init.body ? JSON.parse(init.body) : Object.fromEntries(parameters);
    const extensions =
      typeof body.extensions === 'string' ? JSON.parse(body.extensions) : body.extensions;
    const answer = await fetch(target, init);
    sent.push({
      method: init.method ?? 'GET',
      document: Boolean(body.query),
      hash: Boolean(extensions?.persistedQuery),
      status: answer.status,
    });
    return answer;
  };
}

async function apollo(name, options) {
  const sent = [];
  const link = new PersistedQueryLink({ sha256, ...options }).concat(
    new HttpLink({ uri: url, fetch: noting(sent) }),
  );
  const client = new ApolloClient({ link, cache: new InMemoryCache() });
  const query = gql(`query ${name} { rollouts(first: 1) { nodes { name } } }`);
  const answers = [];
  for (let time = 0; time < 2; time++) {
    const { data } = await client.query({ query, fetchPolicy: 'no-cache' });
    answers.push(data.rollouts.nodes.length);
  }
  return { answers, sent };
}

async function urql(name, options) {
  const sent = [];
  const client = new Client({
    url,
    exchanges: [persistedExchange({ generateHash: async (text) => sha256(text), ...options }), fetchExchange],
    fetch: noting(sent),
    preferGetMethod: false,
    requestPolicy: 'network-only',
  });
  const query = `query ${name} { rollouts(first: 1) { nodes { name } } }`;
  const answers = [];
  for (let time = 0; time < 2; time++) {
    const { data, error } = await client.query(query, {}).toPromise();
    answers.push(error ? String(error) : data.rollouts.nodes.length);
  }
  return { answers, sent };
}

console.log(
  JSON.stringify({
    apolloPost: await apollo('ApolloPost', {}),
    apolloGet: await apollo('ApolloGet', { useGETForHashedQueries: true }),
    urqlPost: await urql('UrqlPost', { preferGetForPersistedQueries: false }),
    urqlGet: await urql('UrqlGet', { preferGetForPersistedQueries: true }),
  }),
);
process.exit(0);
