/**
 * Relay with its store: queries, mutations and subscriptions by the artefacts that its compiler has made in the folder
 * `artefacts`, without any configuration of the store. `compiled` in `caches.py` runs the compiler.
 */
import { pathToFileURL } from 'node:url';
import relay from 'relay-runtime';
import { carryOutWith } from './carry_out.mjs';
import { settings } from './lines.mjs';
import { post } from './plain_http.mjs';
import { openSocket } from './socket.mjs';

const socket = openSocket();
const network = relay.Network.create(
  ({ text }, variables) => post({ query: text, variables }),
  ({ text }, variables) =>
    relay.Observable.create((sink) => socket.subscribe({ query: text, variables }, sink)),
);
const environment = new relay.Environment({ network, store: new relay.Store(new relay.RecordSource()) });

/** The artefact of a document, by the name of its operation. */
async function artefact({ query }) {
  const [, name] = /(?:query|mutation|subscription) (\w+)/.exec(query);
  return (await import(pathToFileURL(`${settings.artefacts}/${name}.graphql.js`))).default;
}

/** What a query finds in the store alone; it also keeps that from being collected as garbage. */
async function read(order) {
  const operation = relay.createOperationDescriptor(await artefact(order), order.variables);
  environment.retain(operation);
  return { data: environment.lookup(operation.fragment).data };
}

await carryOutWith({
  query: async (order) => {
    await relay.fetchQuery(environment, await artefact(order), order.variables).toPromise();
    return read(order);
  },
  read,
  mutate: async (order) => {
    const mutation = await artefact(order);
    return new Promise((resolve, reject) =>
      relay.commitMutation(environment, {
        mutation,
        variables: order.variables,
        onCompleted: (data, errors) => resolve(errors ? { errors } : { data }),
        onError: reject,
      }),
    );
  },
  subscribe: async (order, { next, error, complete }) => {
    const subscription = await artefact(order);
    const config = { subscription, variables: order.variables, onNext: (data) => next({ data }), onError: error, onCompleted: complete };
    return relay.requestSubscription(environment, config).dispose;
  },
  close: () => socket.dispose(),
});
