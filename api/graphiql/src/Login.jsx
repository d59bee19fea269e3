// The way in and out.

import { useSyncExternalStore } from "react";

import { current, logOut, subscribe } from "./session.js";

// Where the login leads back to: GraphiQL keeps its tabs by itself.
const LOG_IN = "/auth/login?next=/graphql";

/** What there is to see for nobody in particular. */
export function Welcome() {
  return (
    <main className="rollgraph-welcome">
      <h1>Rollgraph</h1>
      <p>One GraphQL endpoint over the Argo Rollouts of every Kubernetes cluster.</p>
      <p>
        <a className="rollgraph-button" href={LOG_IN}>
          Log in
        </a>
      </p>
    </main>
  );
}

/** Who is logged in, and how to log out; where nobody has to log in: nothing. */
export function Who() {
  const { login, viewer } = useSyncExternalStore(subscribe, current);
  if (!login) return null;
  if (!viewer) return <a href={LOG_IN}>Log in</a>;
  return (
    <>
      <span title={viewer.subject}>{viewer.name || viewer.subject}</span>
      <button type="button" className="rollgraph-link" onClick={logOut}>
        Log out
      </button>
    </>
  );
}
