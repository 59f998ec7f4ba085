/** npm subscriptions-transport-ws, the client of the older subprotocol: everything over one socket. */
import { SubscriptionClient } from 'subscriptions-transport-ws';
import WebSocket from 'ws';
import { carryOutWith } from './carry_out.mjs';
import { settings } from './lines.mjs';

const client = new SubscriptionClient(settings.socketUrl, { reconnect: true }, WebSocket);

/** A new operation during a reconnect would make it open a second socket and never close the first. */
const connected = () =>
  new Promise((resolve) => {
    if (client.status === WebSocket.OPEN) resolve();
    client.onConnected(resolve);
    client.onReconnected(resolve);
  });

const once = (document) =>
  new Promise((resolve) => {
    client.request(document).subscribe({ next: resolve, error: (first) => resolve({ errors: [first] }) });
  });

await carryOutWith({
  query: once,
  mutate: once,
  subscribe: async (document, { next, error, complete }) => {
    // Of several errors it reports only the first one.
    const observer = { next, error: (first) => error([first]), complete };
    await connected();
    return client.request(document).subscribe(observer).unsubscribe;
  },
  close: () => client.close(),
});
