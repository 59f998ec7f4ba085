/**
 * The orders that every GraphQL client here understands, whatever it is made of.
 *
 * A client is `{ query, mutate, subscribe, close }`. `query` and `mutate` take `{ query, variables }` and promise the
 * result. `subscribe` takes the same with an observer `{ next, error, complete }` and returns, or promises, what
 * unsubscribes.
 */
import { obey, tell } from './lines.mjs';

/** GraphQL errors are told, in whatever the client wraps them; anything else is a failure of the test. */
function refused(name, error) {
  const errors = Array.isArray(error) ? error : (error.errors ?? error.graphQLErrors);
  if (!errors?.length) throw error;
  tell('refused', { name, errors });
}

/** Carry out orders with `client` until there are none. */
export async function carryOutWith(client) {
  const unsubscribe = {};

  async function once(run, { name, ...document }) {
    const result = await run(document);
    if (result.errors) refused(name, result.errors);
    else tell('result', { name, result });
  }

  async function subscribe({ name, ...document }) {
    unsubscribe[name] = await client.subscribe(document, {
      next: (result) => (result.errors ? refused(name, result.errors) : tell('next', { name, result })),
      error: (error) => refused(name, error),
      complete: () => tell('complete', { name }),
    }, name);
  }

  await obey({
    query: (order) => once(client.query, order),
    mutate: (order) => once(client.mutate, order),
    subscribe,
    unsubscribe: ({ name }) => {
      unsubscribe[name]();
      tell('unsubscribed', { name });
    },
  });
  await client.close();
}

/** How long, in ms, a client waits before it tries again to connect: short, because the tests wait for it. */
export const RETRY_MS = 50;

/** For the clients that let one choose: a promise of that pause. */
export const retryPause = () => new Promise((resolve) => setTimeout(resolve, RETRY_MS));
