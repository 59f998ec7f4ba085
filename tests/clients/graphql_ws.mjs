/** npm graphql-ws over npm ws: subscribes to the documents it is given, tells every result, unsubscribes when told to. */
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { obey, settings, tell } from './lines.mjs';

let nextId = '';

const client = createClient({
  url: settings.socketUrl,
  webSocketImpl: WebSocket,
  retryAttempts: 0,
  generateID: () => nextId, // the test's own name for the operation, so that frames can be told apart
  on: {
    connected: (socket) => tell('connected', { protocol: socket.protocol }),
    message: ({ type, id }) => tell('received', { type, id: id ?? null }),
    closed: (event) => tell('closed', { code: event.code, reason: event.reason }),
  },
});
const unsubscribe = {};

/** GraphQL errors, whether they came as an `error` frame or as a result; anything else is a failure of the test. */
function refused(name, errors) {
  if (!Array.isArray(errors)) throw errors;
  tell('refused', { name, errors });
}

function subscribe({ name, query, variables, operationName }) {
  nextId = name;
  unsubscribe[name] = client.subscribe(
    { query, variables, operationName },
    {
      next: (result) => (result.errors ? refused(name, result.errors) : tell('next', { name, result })),
      error: (error) => refused(name, error),
      complete: () => tell('complete', { name }),
    },
  );
}

await obey({
  subscribe,
  unsubscribe: ({ name }) => unsubscribe[name](),
});
await client.dispose();
