/** Apollo Client that names its operations by the ids of a manifest, and sends a document where the server asks for it. */
import { readFileSync } from 'node:fs';
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache, gql } from '@apollo/client';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries';
import { generatePersistedQueryIdsFromManifest } from '@apollo/persisted-query-lists';

const [url, boardId] = process.argv.slice(2);
const manifest = JSON.parse(readFileSync('manifest.json', 'utf8'));
const asked = [];
const http = new HttpLink({
  uri: url,
  fetch: (address, options) => {
    asked.push('query' in JSON.parse(options.body) ? 'document' : 'id');
    return fetch(address, options);
  },
});
const named = new PersistedQueryLink(
  generatePersistedQueryIdsFromManifest({ loadManifest: () => Promise.resolve(manifest) }),
);
const client = new ApolloClient({ link: ApolloLink.from([named, http]), cache: new InMemoryCache() });

const operations = new URL('../../graphql/operations/', import.meta.url);
const query = (name) => gql(readFileSync(new URL(`${name}.graphql`, operations), 'utf8'));
const { data } = await client.query({ query: query('Board'), variables: { boardId } });
await client.query({ query: query('Projects') });
client.stop();
console.log(JSON.stringify({ asked, columns: data.board.columns.length, operations: manifest.operations.length }));
