/**
 * The orders that every GraphQL client of this folder accepts.
 *
 * A client is `{ query, mutate, subscribe, close }`. `query` and `mutate` take `{ query, variables }` and return a promise
 * of the result. `subscribe` also takes an observer `{ next, error, complete }`. It returns the function that
 * unsubscribes, or a promise of it. A client with a cache also has `read`: the result of a query from its cache alone.
 */
import { obey, report } from './lines.mjs';

/** Report GraphQL errors, whatever object the client wraps them in. Every other error fails the test. */
function refused(name, error) {
  const errors = Array.isArray(error) ? error : (error.errors ?? error.graphQLErrors);
  if (!errors?.length) throw error;
  report('refused', { name, errors });
}

/** Carry out orders with `client` until there are none. */
export async function carryOutWith(client) {
  const unsubscribe = {};

  async function once(run, { name, ...document }) {
    const result = await run(document);
    if (result.errors) refused(name, result.errors);
    else report('result', { name, result });
  }

  async function subscribe({ name, ...document }) {
    unsubscribe[name] = await client.subscribe(document, {
      next: (result) => (result.errors ? refused(name, result.errors) : report('next', { name, result })),
      error: (error) => refused(name, error),
      complete: () => report('complete', { name }),
    }, name);
  }

  await obey({
    query: (order) => once(client.query, order),
    mutate: (order) => once(client.mutate, order),
    read: (order) => once(client.read, order),
    subscribe,
    unsubscribe: ({ name }) => {
      unsubscribe[name]();
      report('unsubscribed', { name });
    },
  });
  await client.close();
}

/** Milliseconds before a client reconnects: short, because the tests wait for it. */
export const RETRY_MS = 50;

/** The same pause as a promise, for clients with that option. */
export const retryPause = () => new Promise((resolve) => setTimeout(resolve, RETRY_MS));
