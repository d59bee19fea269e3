// Who is logged in. The login itself is a cookie that no script can read; what a script has to show
// besides, so that no other site can use it, the server tells pages of its own.

let session = { login: false, viewer: null };
const listeners = new Set();

/** Asks who is logged in, once, before anything else. */
export async function meet() {
  try {
    const answer = await fetch("/auth/session");
    if (answer.ok) session = await answer.json();
  } catch {
    // The same trouble will show in the first answer, where it can be read.
  }
  return session;
}

/** The present session; changes by itself only when it ends. */
export function current() {
  return session;
}

/** Calls back when it has changed; gives how to stop that. */
export function subscribe(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** What the server said: nobody is logged in any more. */
export function ended() {
  if (!session.login || !session.viewer) return;
  session = { login: true, viewer: null };
  listeners.forEach((listener) => listener());
}

/** The headers that a question is to have. */
export function headers() {
  return session.csrf ? { "x-rollgraph-csrf": session.csrf } : {};
}

/** Logs out here, and goes where the provider does the same. */
export async function logOut() {
  const answer = await fetch("/auth/logout", { method: "POST", headers: headers() });
  const { next = "/graphql" } = answer.ok ? await answer.json() : {};
  location.assign(next);
}
