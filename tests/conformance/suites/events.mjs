// What npm's graphql-sse makes of an endpoint: node events.mjs URL. Prints what its client got as JSON.
import { createClient } from 'graphql-sse';

const url = process.argv[2];
const connects = [];

function client(token = 'Bearer good') {
  return createClient({
    url,
    headers: { authorization: token },
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

const result = {
  query: await answers('{ subject }'),
  subscription: await answers('subscription { ticks(most: 3, every: 0) { number } }'),
  invalid: await answers('subscription { nothing }'),
  stranger: await answers('{ subject }', { token: 'Bearer bad' }),
  expired: await answers('subscription { ticks(every: 9) { number } }', { token: 'Bearer short' }),
};
connects.length = 0;
const restart = (count) => count === 2 && fetch(url.replace('graphql', 'restart'), { method: 'POST' });
result.broken = await answers('subscription { ticks(every: 0.05) { number } }', { each: restart, most: 5 });
result.connects = connects;
console.log(JSON.stringify(result));
