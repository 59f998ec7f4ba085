/**
 * urql with graphcache, which knows the schema by its minified introspection: checks each document against it, and reads
 * again from its cache. Reports the warnings of graphcache too.
 */
import { readFileSync } from 'node:fs';
import { Client, fetchExchange } from '@urql/core';
import { cacheExchange } from '@urql/exchange-graphcache';
import { minifyIntrospectionQuery } from '@urql/introspection';
import { buildSchema, introspectionFromSchema } from 'graphql';

const [url, boardId, columnId] = process.argv.slice(2);
const graphql = new URL('../../graphql/', import.meta.url);
const read = (path) => readFileSync(new URL(path, graphql), 'utf8');
const schema = minifyIntrospectionQuery(introspectionFromSchema(buildSchema(read('schema.graphql'))));

const warnings = [];
let asked = 0;
const counted = (address, options) => {
  asked += 1;
  return fetch(address, options);
};
const client = new Client({
  url,
  preferGetMethod: false,
  fetch: counted,
  exchanges: [cacheExchange({ schema, logger: (_, message) => warnings.push(message) }), fetchExchange],
});
const operation = (name) => read(`operations/${name}.graphql`);
const board = () => client.query(operation('Board'), { boardId }).toPromise();

const made = await client
  .mutation(operation('CreateCard'), { boardId, input: { columnId, title: 'By graphcache' } })
  .toPromise();
const first = await board();
const again = await board();
console.log(
  JSON.stringify({
    error: String(made.error ?? first.error ?? again.error ?? '') || null,
    asked,
    titles: again.data.board.columns[0].cards.map(({ title }) => title),
    bytes: JSON.stringify(schema).length,
    warnings,
  }),
);
