/** npm graphql-sse: everything over streams, one for each operation or, if `singleConnection`, one for all. */
import { createClient } from 'graphql-sse';
import { carryOutWith, retryPause } from './carry_out.mjs';
import { settings } from './lines.mjs';

const client = createClient({
  url: settings.singleConnection ? `${settings.url}/stream` : settings.url,
  singleConnection: settings.singleConnection,
  retry: retryPause,
  retryAttempts: Infinity,
});

async function once(document) {
  let result;
  for await (result of client.iterate(document));
  return result;
}

await carryOutWith({ query: once, mutate: once, subscribe: client.subscribe, close: () => client.dispose() });
