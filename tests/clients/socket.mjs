/** The npm graphql-ws client over npm ws, on which most clients here put their subscriptions. */
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { retryPause } from './carry_out.mjs';
import { settings } from './lines.mjs';

/** Make one that comes back for ever, unless `options` say otherwise. */
export function openSocket(options = {}) {
  return createClient({
    url: settings.socketUrl,
    webSocketImpl: WebSocket,
    retryWait: retryPause,
    retryAttempts: Infinity,
    // By itself it tries again after close events only: all there is in a browser, while `ws` has errors of Node.js too.
    shouldRetry: () => true,
    ...options,
  });
}
