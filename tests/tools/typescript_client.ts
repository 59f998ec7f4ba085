/**
 * Reads and changes a board by the documents that graphql-codegen has typed. The compiler checks each name below: with
 * another schema this program does not compile.
 */
import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { print } from 'graphql';
import { BoardDocument, CreateCardDocument, ProjectsDocument } from './gql/graphql.js';

const [url, boardId, columnId] = process.argv.slice(2) as [string, string, string];

async function execute<Result, Variables>(
  document: TypedDocumentNode<Result, Variables>,
  variables: Variables,
): Promise<Result> {
  const body = JSON.stringify({ query: print(document), variables });
  const answer = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  const { data, errors } = (await answer.json()) as { data: Result; errors?: unknown };
  if (errors) throw new Error(JSON.stringify(errors));
  return data;
}

const { projects } = await execute(ProjectsDocument, { first: 1 });
const { createCard } = await execute(CreateCardDocument, { boardId, input: { columnId, title: 'By TypeScript' } });
const refused = await execute(CreateCardDocument, { boardId: 'nowhere', input: { columnId, title: 'By TypeScript' } });
const { board } = await execute(BoardDocument, { boardId });

console.log(
  JSON.stringify({
    project: projects.nodes[0]?.name,
    more: projects.pageInfo.hasNextPage,
    titles: board?.columns[0]?.cards.map(({ title }) => title),
    card: createCard.__typename === 'CreateCardPayload' ? createCard.card.title : null,
    refusal: refused.createCard.__typename === 'BoardNotFound' ? refused.createCard.code : null,
  }),
);
