/**
 * Carries one subscription by graphql-transport-ws: it tries again for ever, and it notices a connection that
 * died without a word.
 */
import { pause } from './retry.js';

const { createClient } = globalThis.graphqlWs;

const PING_EVERY_MS = 15_000;
const PONG_WITHIN_MS = 5_000;

/**
 * Make a client with graphql-ws's `subscribe(request, sink)`. `headers` are the entries of GraphiQL's headers pane,
 * sent as the connection_init payload with lower-case names; `onState` gets `connecting`, `connected` and `lost`.
 */
export function createSocketClient(endpoint, { headers, onState }) {
  const url = new URL(endpoint);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  let pongTimer = 0;
  const client = createClient({
    url: url.href,
    connectionParams: lowerCaseNames(headers),
    retryAttempts: Infinity,
    retryWait: pause,
    keepAlive: PING_EVERY_MS,
    on: {
      connecting: (isRetry) => onState(isRetry ? 'lost' : 'connecting'),
      connected: () => onState('connected'),
      closed: () => {
        clearTimeout(pongTimer);
        onState('lost');
      },
      ping: (received) => {
        if (received) return;
        // graphql-ws sends pings but leaves it to us to give up on the answer.
        pongTimer = setTimeout(() => client.terminate(), PONG_WITHIN_MS);
      },
      pong: (received) => {
        if (received) clearTimeout(pongTimer);
      },
    },
  });
  return client;
}

function lowerCaseNames(headers) {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
