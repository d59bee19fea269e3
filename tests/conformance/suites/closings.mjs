// After which codes npm's graphql-ws comes back by itself: node closings.mjs CODE... Prints, for each
// code with which a server closes a connection, whether it is connected to once more, as JSON.
import { createClient } from 'graphql-ws';
import { WebSocket, WebSocketServer } from 'ws';

async function comesBack(code) {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  let connections = 0;
  server.on('connection', (socket) => {
    connections += 1;
    socket.on('message', () => socket.close(code));
  });
  await new Promise((resolve) => server.on('listening', resolve));
  const client = createClient({
    url: `ws://127.0.0.1:${server.address().port}`,
    webSocketImpl: WebSocket,
    retryAttempts: 1,
    retryWait: () => Promise.resolve(),
  });
  await new Promise((resolve) => {
    client.subscribe({ query: '{ a }' }, { next: () => {}, error: resolve, complete: resolve });
  });
  server.close();
  return connections > 1;
}

const codes = process.argv.slice(2).map(Number);
const found = await Promise.all(codes.map(async (code) => [code, await comesBack(code)]));
console.log(JSON.stringify(Object.fromEntries(found)));
