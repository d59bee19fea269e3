// Apollo Client and urql subscribe, each in each way that it has: node clients.mjs URL VARIABLES.
// Prints the first event of each as JSON.
import { ApolloClient, gql, HttpLink, InMemoryCache } from '@apollo/client';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { cacheExchange, Client, fetchExchange, subscriptionExchange } from '@urql/core';
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';

const [url, given] = process.argv.slice(2);
const variables = JSON.parse(given);
const QUERY = `subscription S($rollout: RolloutRefInput!) {
  rolloutChanged(rollout: $rollout) {
    kind
    cursor
    ... on RolloutSnapshotEvent { rollout { id name phase } }
  }
}`;
const sockets = createClient({ url: url.replace('http:', 'ws:'), webSocketImpl: WebSocket });

const subscribed = {
  subscribe: ({ query, variables }, sink) => ({
    unsubscribe: sockets.subscribe({ query, variables }, sink),
  }),
};

function apollo(link) {
  const client = new ApolloClient({ link, cache: new InMemoryCache() });
  return first(client.subscribe({ query: gql(QUERY), variables }));
}

function urql(options, ...exchanges) {
  const client = new Client({ url, exchanges: [cacheExchange, ...exchanges, fetchExchange], ...options });
  return first(client.subscription(QUERY, variables));
}

/** The first event of what can be subscribed, which then is subscribed no more. */
function first(source) {
  return new Promise((resolve, reject) => {
    const got = ({ data, error }) => {
      queueMicrotask(() => subscription.unsubscribe());
      error ? reject(error) : resolve(data.rolloutChanged);
    };
    const subscription = source.subscribe(source.pipe ? { next: got, error: reject } : got);
  });
}

const exchange = subscriptionExchange({
  forwardSubscription: ({ query, variables }) => ({
    subscribe: (sink) => subscribed.subscribe({ query, variables }, sink),
  }),
});
console.log(
  JSON.stringify({
    apolloWebSocket: await apollo(new GraphQLWsLink(sockets)),
    apolloMultipart: await apollo(new HttpLink({ uri: url })),
    urqlWebSocket: await urql({}, exchange),
    urqlEvents: await urql({ fetchSubscriptions: true }),
  }),
);
await sockets.dispose();
process.exit(0); // of those that are unsubscribed some keep a connection for another
