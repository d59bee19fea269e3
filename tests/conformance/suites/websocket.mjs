// What npm's graphql-ws, and a bare WebSocket, make of an endpoint: node websocket.mjs URL.
// Prints the codes of closed connections, and what its client got, as JSON.
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';

const url = process.argv[2];
const http = url.replace('ws:', 'http:');
const INIT = { type: 'connection_init', payload: { authorization: 'Bearer good' } };
const TICKS = `subscription T($after: String! = "") {
  ticks(every: 0.05, resumeAfter: $after) { cursor number }
}`;
const subscribe = (id, query = TICKS) => ({ type: 'subscribe', id, payload: { query } });

/** How a connection ends on which these messages are sent, each once the one before was answered. */
function closed(messages, protocol = 'graphql-transport-ws') {
  const socket = new WebSocket(url, protocol);
  const left = [...messages];
  const next = () => {
    const said = left.shift();
    if (said) socket.send(typeof said === 'string' ? said : JSON.stringify(said));
  };
  socket.on('open', next);
  socket.on('message', next);
  return new Promise((resolve) => socket.on('close', (code, reason) => resolve([code, `${reason}`])));
}

function client(options = {}) {
  return createClient({
    url,
    webSocketImpl: WebSocket,
    connectionParams: INIT.payload,
    retryWait: () => new Promise((resolve) => setTimeout(resolve, 50)),
    ...options,
  });
}

/** All that an operation answers, at most so many; or its errors. */
async function answers(query, most = 100, made = client()) {
  const found = [];
  try {
    for await (const answer of made.iterate({ query })) {
      found.push(answer);
      if (found.length >= most) break;
    }
  } catch (errors) {
    if (!Array.isArray(errors)) throw errors;
    found.push({ errors });
  }
  await made.dispose();
  return found;
}

/** The numbers of a stream that is taken up after each break where it was. */
async function resumed(breaks) {
  const found = [];
  const made = client({ retryAttempts: 0 });
  let cursor = '';
  while (found.length < 20) {
    try {
      for await (const { data } of made.iterate({ query: TICKS, variables: { after: cursor } })) {
        found.push(data.ticks.number);
        cursor = data.ticks.cursor;
        if (found.length === 5 || found.length === 12) await breaks();
        if (found.length >= 20) break;
      }
    } catch (closing) {
      if (closing.code !== 1012) throw closing;
    }
  }
  await made.dispose();
  return found;
}

/** The tokens that a client shows, one by one, whose first has a short life. */
async function renewed() {
  const tokens = ['Bearer short', 'Bearer good'];
  const [shown, closings] = [[], []];
  const made = client({
    connectionParams: () => {
      shown.push(tokens[0]);
      return { authorization: tokens.length > 1 ? tokens.shift() : tokens[0] };
    },
    on: { closed: ({ code, reason }) => closings.push([code, reason]) },
  });
  const [errors] = await answers('subscription { ticks(every: 9) { number } }', 2, {
    ...made,
    dispose: () => {},
  }).then((found) => found.filter(({ errors }) => errors));
  const [after] = await answers('{ subject }', 1, made);
  return { shown, closings, errors, after };
}

const result = {
  codes: {
    invalidJson: await closed([INIT, 'no']),
    unknownType: await closed([INIT, { type: 'start' }]),
    unauthorized: await closed([subscribe('1')]),
    badToken: await closed([{ type: 'connection_init', payload: { authorization: 'Bearer bad' } }]),
    noToken: await closed([{ type: 'connection_init' }]),
    noProtocol: await closed([], []),
    initTimeout: await closed([]),
    taken: await closed([INIT, subscribe('1'), subscribe('1')]),
    initAgain: await closed([INIT, INIT]),
  },
  query: await answers('{ subject }'),
  mutation: await answers('mutation { act(seconds: 0) }'),
  subscription: await answers('subscription { ticks(most: 3, every: 0) { number } }'),
  invalid: await answers('subscription { nothing }'),
  syntax: await answers('subscription {'),
  resumed: await resumed(() => fetch(http.replace('graphql', 'restart'), { method: 'POST' })),
  renewed: await renewed(),
};
console.log(JSON.stringify(result));
