/**
 * Carries one subscription by GraphQL over SSE, distinct connections mode (graphql-sse PROTOCOL.md): it tries again
 * for ever when the connection is lost, and gives up at once when the server refuses.
 */
import { pause } from './retry.js';

const { createClient } = globalThis.graphqlSse;

/** Statuses of a refusal that may be gone a moment later. */
const PASSING = [408, 425, 429];

/**
 * Make a client with graphql-sse's `subscribe(request, sink)`, for one subscription. `headers` are the entries of
 * GraphiQL's headers pane, sent as HTTP headers; `onState` gets `connecting`, `connected` and `lost`.
 */
export function createStreamClient(endpoint, { headers, onState }) {
  let refusal = null;
  return createClient({
    url: endpoint.href,
    headers,
    fetchFn: async (url, options) => {
      const response = await fetch(url, options);
      refusal = isFinal(response.status) ? new Error(await refusalText(response)) : null;
      return response;
    },
    retryAttempts: Infinity,
    // To graphql-sse every answer but success is a network error worth another try; only here can that be ended.
    retry: async (retries) => {
      if (refusal !== null) throw refusal;
      onState('lost');
      await pause(retries);
    },
    on: {
      connecting: (isRetry) => onState(isRetry ? 'lost' : 'connecting'),
      connected: () => onState('connected'),
    },
  });
}

const isFinal = (status) => status >= 400 && status < 500 && !PASSING.includes(status);

async function refusalText(response) {
  return `The server refused the subscription with ${response.status} ${response.statusText}: ${await response.text()}`;
}
