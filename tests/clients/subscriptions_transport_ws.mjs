/** npm subscriptions-transport-ws, the client of the older subprotocol: everything by one socket. */
import { SubscriptionClient } from 'subscriptions-transport-ws';
import WebSocket from 'ws';
import { carryOutWith } from './carry_out.mjs';
import { settings } from './lines.mjs';

const client = new SubscriptionClient(settings.socketUrl, { reconnect: true }, WebSocket);

/** While it reconnects, a new operation would make it open a second socket and never close the first. */
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
    // Of several errors it hands over the first one, alone.
    const observer = { next, error: (first) => error([first]), complete };
    await connected();
    return client.request(document).subscribe(observer).unsubscribe;
  },
  close: () => client.close(),
});
