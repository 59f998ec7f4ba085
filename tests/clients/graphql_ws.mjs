/** npm graphql-ws over npm ws: everything over one socket. It also reports the socket's events and every message. */
import { carryOutWith } from './carry_out.mjs';
import { settings, report } from './lines.mjs';
import { openSocket } from './socket.mjs';

let nextId;

const client = openSocket({
  retryAttempts: settings.retryAttempts ?? Infinity,
  // The test's own name for the operation, to distinguish messages.
  generateID: () => nextId,
  on: {
    connected: (socket) => report('connected', { protocol: socket.protocol }),
    message: ({ type, id }) => report('received', { type, id: id ?? null }),
    closed: (event) => report('closed', { code: event.code, reason: event.reason }),
  },
});

function subscribe(document, observer, name) {
  nextId = name;
  return client.subscribe(document, observer);
}

function once(document) {
  return new Promise((resolve, reject) => {
    let result;
    const observer = {
      next: (next) => {
        result = next;
      },
      error: (error) => (Array.isArray(error) ? resolve({ errors: error }) : reject(error)),
      complete: () => resolve(result),
    };
    subscribe(document, observer, crypto.randomUUID());
  });
}

await carryOutWith({ query: once, mutate: once, subscribe, close: () => client.dispose() });
