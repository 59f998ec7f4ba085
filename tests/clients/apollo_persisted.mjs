/**
 * Apollo Client with its link for persisted queries, which names a document by its hash until the server says that it
 * keeps none. Reports the body of each request, and the result of the query, which is asked for twice.
 */
import { createHash } from 'node:crypto';
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache, gql } from '@apollo/client';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries';
import { report, settings } from './lines.mjs';

const sha256 = (text) => createHash('sha256').update(text).digest('hex');
const http = new HttpLink({
  uri: settings.url,
  fetch: (url, options) => {
    report('asked', { body: options.body ? JSON.parse(options.body) : null, url: String(url) });
    return fetch(url, options);
  },
});
const client = new ApolloClient({
  link: ApolloLink.from([new PersistedQueryLink({ sha256, useGETForHashedQueries: settings.get }), http]),
  cache: new InMemoryCache(),
});

for (let asked = 0; asked < 2; asked += 1) {
  const { data } = await client.query({ query: gql(settings.query), fetchPolicy: 'network-only' });
  report('result', { data });
}
report('done');
client.stop();
