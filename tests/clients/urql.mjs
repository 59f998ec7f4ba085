/** @urql/core: queries and mutations by its `fetchExchange`, subscriptions by `subscriptionExchange` over graphql-ws. */
import { Client, fetchExchange, subscriptionExchange } from '@urql/core';
import { carryOutWith } from './carry_out.mjs';
import { settings } from './lines.mjs';
import { openSocket } from './socket.mjs';

const socket = openSocket();
const forwardSubscription = (request) => ({
  subscribe: (sink) => ({ unsubscribe: socket.subscribe({ ...request, query: request.query ?? '' }, sink) }),
});
const client = new Client({
  url: settings.url,
  preferGetMethod: false,
  exchanges: [fetchExchange, subscriptionExchange({ forwardSubscription })],
});
const result = ({ data, error }) => (error ? { errors: error.graphQLErrors } : { data });

await carryOutWith({
  query: async ({ query, variables }) => result(await client.query(query, variables).toPromise()),
  mutate: async ({ query, variables }) => result(await client.mutation(query, variables).toPromise()),
  subscribe: ({ query, variables }, { next, error }) => {
    const receive = (update) => (update.error ? error(update.error) : next({ data: update.data }));
    return client.subscription(query, variables).subscribe(receive).unsubscribe;
  },
  close: () => socket.dispose(),
});
