/**
 * Relay's network layer: `fetch` below its queries and mutations, graphql-ws below its subscriptions.
 *
 * The layers above need artefacts of Relay's compiler (`relay_store.mjs`). Without them the requests to the network are the
 * same.
 */
import relay from 'relay-runtime';
import { carryOutWith } from './carry_out.mjs';
import { post } from './plain_http.mjs';
import { openSocket } from './socket.mjs';

const socket = openSocket();
const network = relay.Network.create(
  ({ text }, variables) => post({ query: text, variables }),
  ({ text }, variables) =>
    relay.Observable.create((sink) => socket.subscribe({ query: text, variables }, sink)),
);
const execute = (operationKind, { query, variables }) =>
  network.execute({ name: '', id: null, cacheID: '', metadata: {}, operationKind, text: query }, variables, {});

await carryOutWith({
  query: (document) => execute('query', document).toPromise(),
  mutate: (document) => execute('mutation', document).toPromise(),
  subscribe: (document, observer) => {
    const subscription = execute('subscription', document).subscribe(observer);
    return () => subscription.unsubscribe();
  },
  close: () => socket.dispose(),
});
