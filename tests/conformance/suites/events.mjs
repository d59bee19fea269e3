// What npm's graphql-sse makes of an endpoint: node events.mjs URL. Prints what its client got as JSON.
import { createClient } from 'graphql-sse';

const url = process.argv[2];
const connects = [];

function client(token = 'Bearer good', headers = () => ({})) {
  return createClient({
    url,
    headers: () => ({ authorization: token, ...headers() }),
    retryAttempts: token === 'Bearer good' ? 5 : 0,
    retry: () => new Promise((resolve) => setTimeout(resolve, 50)),
    on: { connecting: (again) => connects.push(again) },
  });
}

async function answers(query, { token, each = () => {}, most = 100 } = {}) {
  const found = [];
  const made = client(token);
  try {
    for await (const answer of made.iterate({ query })) {
      found.push(answer);
      await each(found.length);
      if (found.length >= most) break;
    }
  } catch (error) {
    found.push({ status: error.response?.status, message: error.message });
  }
  made.dispose();
  return found;
}

const TICKS = `subscription T($after: String! = "") {
  ticks(every: 0.05, resumeAfter: $after) { cursor number }
}`;
const post = (path) => fetch(url.replace('graphql', path), { method: 'POST' });
const breaks = ({ length }) => (length === 3 || length === 8 ? post('restart') : null);

/** The numbers of a stream that its client itself takes up after each break, by a header. */
async function resumed() {
  const found = [];
  let cursor = '';
  const made = client('Bearer good', () => (cursor ? { 'last-event-id': cursor } : {}));
  for await (const { data } of made.iterate({ query: TICKS })) {
    found.push(data.ticks.number);
    cursor = data.ticks.cursor;
    await breaks(found);
    if (found.length >= 15) break;
  }
  made.dispose();
  return found;
}

/** The numbers of a stream that is subscribed to again, with a variable. */
async function resumedAfter() {
  const found = [];
  let after = '';
  while (found.length < 15) {
    const made = createClient({ url, headers: { authorization: 'Bearer good' }, retryAttempts: 0 });
    try {
      for await (const { data } of made.iterate({ query: TICKS, variables: { after } })) {
        found.push(data.ticks.number);
        after = data.ticks.cursor;
        await breaks(found);
        if (found.length >= 15) break;
      }
    } catch (error) {
      if (error.response) throw error; // it was refused, and did not break
    }
    made.dispose();
  }
  return found;
}

/** How it is refused while the gateway stops. */
async function stopping() {
  await post('stop');
  const headers = { authorization: 'Bearer good', accept: 'text/event-stream', 'content-type': 'application/json' };
  const refused = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ query: TICKS }) });
  await post('stop');
  return [refused.status, refused.headers.get('retry-after')];
}

const result = {
  query: await answers('{ subject }'),
  subscription: await answers('subscription { ticks(most: 3, every: 0) { number } }'),
  invalid: await answers('subscription { nothing }'),
  stranger: await answers('{ subject }', { token: 'Bearer bad' }),
  expired: await answers('subscription { ticks(every: 9) { number } }', { token: 'Bearer short' }),
};
connects.length = 0;
const restart = (count) => count === 2 && post('restart');
result.broken = await answers('subscription { ticks(every: 0.05) { number } }', { each: restart, most: 5 });
result.connects = [...connects];
result.resumed = await resumed();
result.resumedAfter = await resumedAfter();
result.stopping = await stopping();
console.log(JSON.stringify(result));
