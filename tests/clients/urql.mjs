/**
 * @urql/core: queries and mutations by its `fetchExchange`, subscriptions by `subscriptionExchange` over graphql-ws. If
 * `retries`, its `retryExchange` repeats queries and mutations. If `cache`, it has graphcache without any configuration.
 */
import { Client, fetchExchange, subscriptionExchange } from '@urql/core';
import { cacheExchange } from '@urql/exchange-graphcache';
import { retryExchange } from '@urql/exchange-retry';
import { RETRY_MS, carryOutWith } from './carry_out.mjs';
import { settings } from './lines.mjs';
import { openSocket } from './socket.mjs';

const socket = openSocket();
const forwardSubscription = (request) => ({
  subscribe: (sink) => ({ unsubscribe: socket.subscribe({ ...request, query: request.query ?? '' }, sink) }),
});
const retry = retryExchange({
  initialDelayMs: RETRY_MS,
  maxDelayMs: RETRY_MS,
  maxNumberAttempts: Infinity,
  retryIf: ({ networkError }) => Boolean(networkError),
});
const client = new Client({
  url: settings.url,
  preferGetMethod: false,
  exchanges: [
    ...(settings.cache ? [cacheExchange()] : []),
    ...(settings.retries ? [retry] : []),
    fetchExchange,
    subscriptionExchange({ forwardSubscription }),
  ],
});
const result = ({ data, error }) => (error ? { errors: error.graphQLErrors } : { data });

await carryOutWith({
  query: async ({ query, variables }) =>
    result(await client.query(query, variables, { requestPolicy: 'network-only' }).toPromise()),
  read: async ({ query, variables }) =>
    result(await client.query(query, variables, { requestPolicy: 'cache-only' }).toPromise()),
  mutate: async ({ query, variables }) => result(await client.mutation(query, variables).toPromise()),
  subscribe: ({ query, variables }, { next, error }) => {
    const receive = (update) => (update.error ? error(update.error) : next({ data: update.data }));
    return client.subscription(query, variables).subscribe(receive).unsubscribe;
  },
  close: () => socket.dispose(),
});
