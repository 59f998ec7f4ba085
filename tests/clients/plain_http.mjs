/** Queries and mutations by `fetch`, for clients that have only subscriptions. */
import { settings } from './lines.mjs';

/** POST `{ query, variables }` as in GraphQL over HTTP; return a promise of the result. */
export async function post(document) {
  const response = await fetch(settings.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/graphql-response+json, application/json' },
    body: JSON.stringify(document),
  });
  return response.json();
}
