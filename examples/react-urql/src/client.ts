import { createClient } from "graphql-sse";
import { Client, cacheExchange, fetchExchange, subscriptionExchange } from "urql";

const URL = "/graphql";

/** The cursor of an event: where the stream is after it. */
function cursorOf(data: unknown): string | undefined {
  const [event] = Object.values((data ?? {}) as Record<string, { cursor?: string } | null>);
  return event?.cursor;
}

/**
 * urql, with subscriptions by server-sent events.
 *
 * Each subscription has a client of its own, which remembers the cursor of its last event: when the
 * connection breaks, it asks with `Last-Event-ID` for what it has missed.
 */
export const client = new Client({
  url: URL,
  preferGetMethod: false,
  exchanges: [
    cacheExchange,
    fetchExchange,
    subscriptionExchange({
      forwardSubscription({ query, variables }) {
        let last: string | undefined;
        const events = createClient({
          url: URL,
          retryAttempts: Infinity,
          headers: (): Record<string, string> => (last ? { "Last-Event-ID": last } : {}),
        });
        return {
          subscribe: (sink) => ({
            unsubscribe: events.subscribe(
              { query: query ?? "", variables },
              {
                next(result) {
                  last = cursorOf(result.data) ?? last;
                  sink.next(result as Parameters<typeof sink.next>[0]);
                },
                error: (error) => sink.error(error),
                complete: () => sink.complete(),
              },
            ),
          }),
        };
      },
    }),
  ],
});
