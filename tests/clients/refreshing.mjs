/**
 * Clients whose token changes: each asks for a token whenever it connects, and comes back with its last cursor. The
 * client is that of the settings. It reports each change of a board: type, cursor, and the title of a new card.
 */
import { ApolloClient, gql, InMemoryCache } from '@apollo/client';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { Client, fetchExchange, subscriptionExchange } from '@urql/core';
import { EventSource } from 'eventsource';
import * as sse from 'graphql-sse';
import WebSocket from 'ws';
import { retryPause } from './carry_out.mjs';
import { obey, report, settings } from './lines.mjs';
import { openSocket } from './socket.mjs';
import { token } from './tokens.mjs';

// If a socket fails, Apollo's link needs the global class, which Node.js has only since version 22.
globalThis.WebSocket ??= WebSocket;

const DOCUMENT = `subscription ($boardId: ID!, $after: String) { boardChanges(boardId: $boardId, after: $after) {
  __typename
  ... on State { cursor }
  ... on CardCreated { cursor card { title } }
  ... on Gap { reason }
  ... on Goodbye { reason }
} }`;
const { boardId, url } = settings;
const bearer = () => ({ Authorization: `Bearer ${token()}` });
let cursor;

function take({ data, errors }) {
  if (errors) throw new Error(JSON.stringify(errors));
  const event = data.boardChanges;
  cursor = event.cursor ?? cursor;
  report('change', { type: event.__typename, cursor: event.cursor, title: event.card?.title, reason: event.reason });
}

const fresh = (variables) => ({ ...variables, get after() { return cursor; } });
const observer = { next: take, error: (error) => { throw error; }, complete: () => report('complete') };
const socket = (options) => openSocket({ connectionParams: () => ({ token: token() }), ...options });
const stream = (options) => sse.createClient({ headers: bearer, retry: retryPause, retryAttempts: Infinity, ...options });
const subscribe = (client) => client.subscribe({ query: DOCUMENT, variables: fresh({ boardId }) }, observer);

/** An `EventSource`: `address` returns its address, `options` are its own. A new one begins after each goodbye. */
function follow(address, options) {
  const source = new EventSource(address(), options());
  source.onerror = ({ message }) => report('lost', { message });
  const types = { state: 'State', card_created: 'CardCreated', gap: 'Gap', goodbye: 'Goodbye' };
  for (const [type, name] of Object.entries(types)) {
    source.addEventListener(type, ({ data, lastEventId }) => {
      const { card, reason } = JSON.parse(data);
      cursor = lastEventId || cursor;
      report('change', { type: name, cursor: lastEventId, title: card?.title, reason });
      if (type !== 'goodbye') return;
      source.close();
      retryPause().then(() => follow(address, options));
    });
  }
}
const board = `${url}/api/v1/sse?boardId=${boardId}&delivery=changes`;
const after = () => (cursor ? `&after=${cursor}` : '');

const CLIENTS = {
  'graphql-ws': () => subscribe(socket()),
  'graphql-sse': () => subscribe(stream({ url: `${url}/graphql` })),
  'graphql-sse-single': () => subscribe(stream({ url: `${url}/graphql/stream`, singleConnection: true })),
  apollo: () => {
    const link = new GraphQLWsLink(socket({ jsonMessageReplacer: (key, value) => (key === 'after' ? cursor : value) }));
    const client = new ApolloClient({ link, cache: new InMemoryCache() });
    client.subscribe({ query: gql(DOCUMENT), variables: { boardId, after: null } }).subscribe(observer);
  },
  urql: () => {
    const connection = socket();
    const forwardSubscription = ({ query, variables }) => ({
      subscribe: (sink) => ({ unsubscribe: connection.subscribe({ query, variables: fresh(variables) }, sink) }),
    });
    const exchanges = [fetchExchange, subscriptionExchange({ forwardSubscription })];
    const client = new Client({ url: `${url}/graphql`, preferGetMethod: false, exchanges });
    client.subscription(DOCUMENT, { boardId }).subscribe(take);
  },
  'eventsource-address': () => follow(() => `${board}${after()}&access_token=${encodeURIComponent(token())}`, () => ({})),
  'eventsource-cookie': () => follow(() => `${board}${after()}`, () => ({ fetch: withCookie() })),
};

/** A `fetch` that signs in first, and then has the cookie, as a browser would. */
function withCookie() {
  const body = JSON.stringify({ token: token() });
  const headers = { 'Content-Type': 'application/json' };
  const signedIn = fetch(`${url}/api/v1/session`, { method: 'POST', body, headers });
  return async (address, init) => {
    const answer = await signedIn;
    if (answer.status !== 201) throw new Error(`no session: ${answer.status} ${await answer.text()}`);
    const cookie = answer.headers.get('set-cookie').split(';')[0];
    return fetch(address, { ...init, headers: { ...init.headers, Cookie: cookie } });
  };
}

CLIENTS[settings.client]();
await obey({});
process.exit(0);
