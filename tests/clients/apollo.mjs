/**
 * Apollo Client: queries and mutations over HTTP; subscriptions by a split link over graphql-ws or, if `multipart`,
 * over HTTP as well, in Apollo's multipart protocol. If `retries`, its RetryLink repeats queries and mutations.
 */
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache, gql } from '@apollo/client';
import { RetryLink } from '@apollo/client/link/retry';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { OperationTypeNode } from 'graphql';
import WebSocket from 'ws';
import { RETRY_MS, carryOutWith } from './carry_out.mjs';
import { settings } from './lines.mjs';
import { openSocket } from './socket.mjs';

// If a socket fails, Apollo's link needs the global class, which Node.js has only since version 22.
globalThis.WebSocket ??= WebSocket;

const http = new HttpLink({ uri: settings.url });
const socket = openSocket();
// Apollo's HTTP link does not reconnect by itself; users put this link in front of it.
const retry = new RetryLink({ delay: { initial: RETRY_MS, max: RETRY_MS }, attempts: { max: Infinity } });
const retried = ApolloLink.from([retry, http]);
const stream = settings.multipart ? retried : new GraphQLWsLink(socket);
const single = settings.retries ? retried : http;

const client = new ApolloClient({
  link: ApolloLink.split(({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION, stream, single),
  cache: new InMemoryCache(),
});
const once = ({ data, error }) => (error ? { errors: error.errors } : { data });

await carryOutWith({
  query: async ({ query, variables }) =>
    once(await client.query({ query: gql(query), variables, fetchPolicy: 'network-only', errorPolicy: 'all' })),
  read: async ({ query, variables }) => once(await client.query({ query: gql(query), variables, fetchPolicy: 'cache-only' })),
  mutate: async ({ query, variables }) =>
    once(await client.mutate({ mutation: gql(query), variables, errorPolicy: 'all' })),
  subscribe: ({ query, variables }, observer) => {
    const results = client.subscribe({ query: gql(query), variables, errorPolicy: 'all' });
    // Apollo reports every error as a result with `error`, whatever ended the subscription.
    const next = ({ data, error }) => (error ? observer.error(error) : observer.next({ data }));
    const subscription = results.subscribe({ ...observer, next });
    return () => subscription.unsubscribe();
  },
  close: () => {
    client.stop();
    return socket.dispose();
  },
});
