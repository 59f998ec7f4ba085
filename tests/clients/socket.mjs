/** The npm graphql-ws client over npm ws, which most clients here use for subscriptions. */
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { retryPause } from './carry_out.mjs';
import { settings } from './lines.mjs';

/** Make a client that always reconnects, unless `options` say otherwise. */
export function openSocket(options = {}) {
  return createClient({
    url: settings.socketUrl,
    webSocketImpl: WebSocket,
    retryWait: retryPause,
    retryAttempts: Infinity,
    // By default the client reconnects only after close events. A browser has only those, but `ws` also has errors.
    shouldRetry: () => true,
    ...options,
  });
}
