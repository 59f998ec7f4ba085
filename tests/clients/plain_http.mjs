/** Queries and mutations by `fetch`, for the clients that leave these to their user. */
import { settings } from './lines.mjs';

/** POST `{ query, variables }` as GraphQL over HTTP has it and promise the result. */
export async function post(document) {
  const response = await fetch(settings.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/graphql-response+json, application/json' },
    body: JSON.stringify(document),
  });
  return response.json();
}
