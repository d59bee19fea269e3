// What npm's graphql-ws, and a bare WebSocket, make of an endpoint: node websocket.mjs URL.
// Prints the codes of closed connections, and what its client got, as JSON.
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';

const url = process.argv[2];
const http = url.replace('ws:', 'http:');
const init = (token) => ({ type: 'connection_init', payload: { authorization: `Bearer ${token}` } });
const INIT = init('good');
const TICKS = `subscription T($after: String! = "") {
  ticks(every: 0.05, resumeAfter: $after) { cursor number }
}`;
const subscribe = (id, query = TICKS) => ({ type: 'subscribe', id, payload: { query } });

/** How a connection ends on which these messages are sent, each once the one before was answered. */
async function closed(messages, { protocol = 'graphql-transport-ws', meanwhile = () => {} } = {}) {
  const socket = new WebSocket(url, protocol);
  const left = [...messages];
  const next = () => {
    const said = left.shift();
    if (said) socket.send(typeof said === 'string' ? said : JSON.stringify(said));
    else happened ??= meanwhile();
  };
  let happened;
  socket.on('open', next);
  socket.on('message', next);
  const end = await new Promise((resolve) => {
    socket.on('close', (code, reason) => resolve([code, `${reason}`]));
  });
  await happened; // to its end, before anybody else comes
  return end;
}

/** The status with which a handshake is refused. */
function refused(headers = {}) {
  const socket = new WebSocket(url, 'graphql-transport-ws', { headers });
  return new Promise((resolve, reject) => {
    socket.on('unexpected-response', (_, { statusCode, headers }) =>
      resolve([statusCode, headers['retry-after'] ?? null]),
    );
    socket.on('open', reject);
  });
}

const post = (path) => fetch(http.replace('graphql', path), { method: 'POST' });

/** What happens while the gateway stops. */
async function stopping(act) {
  await post('stop');
  const found = await act();
  await post('stop');
  return found;
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
    badToken: await closed([init('bad')]),
    noToken: await closed([{ type: 'connection_init' }]),
    noProtocol: await closed([], { protocol: [] }),
    initTimeout: await closed([]),
    taken: await closed([INIT, subscribe('1'), subscribe('1')]),
    initAgain: await closed([INIT, INIT]),
    noPong: await closed([INIT]),
    restart: await closed([INIT], { meanwhile: () => post('restart') }),
    nobodyKnows: await closed([init('unknowable')]),
    bug: await closed([init('odd')]),
    tooLong: await closed([INIT, 'x'.repeat(100_000)]),
  },
  handshakes: {
    anotherSite: await refused({ origin: 'http://elsewhere.example' }),
    stopping: await stopping(refused),
  },
  query: await answers('{ subject }'),
  mutation: await answers('mutation { act(seconds: 0) }'),
  subscription: await answers('subscription { ticks(most: 3, every: 0) { number } }'),
  invalid: await answers('subscription { nothing }'),
  syntax: await answers('subscription {'),
  resumed: await resumed(() => post('restart')),
  renewed: await renewed(),
};
console.log(JSON.stringify(result));
