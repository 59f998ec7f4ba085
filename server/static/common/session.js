/**
 * The session of the page: who is signed in, and what that may do. The token is sent once and kept nowhere. The browser keeps
 * a cookie, which no script can read, and sends it with every request.
 *
 * A session is `{subject, boards, can, expiresAt}` as in docs/rest.md. On a server that needs no token `subject` is null.
 */
import { call, Refused } from './calls.js';

/** @typedef {{subject: string | null, boards: string[], can: string[], expiresAt: string | null}} Session */

/** Resolve to the session, null if there is none; reject with `Refused` if the server does not say. @returns {Promise<Session | null>} */
export async function readSession() {
  try {
    return await call('GET', '/session');
  } catch (error) {
    if (error instanceof Refused && error.status === 401) return null;
    throw error;
  }
}

/** Resolve to the new session; reject with `Refused` if the token is not valid. @param {string} token @returns {Promise<Session>} */
export const signIn = (token) => call('POST', '/session', { token });

export const signOut = () => call('DELETE', '/session');

/**
 * Whether the grants allow an action on a board; null = on no particular board, which needs all boards.
 * @param {Session} session
 * @param {string} action
 * @param {string | null} boardId
 */
export const may = ({ boards, can }, action, boardId = null) =>
  can.includes(action) && (boards.includes('*') || (boardId !== null && boards.includes(boardId)));

/** What a session may do, in words. @param {Session} session */
export function describeGrants({ boards, can, expiresAt }) {
  if (can.length === 0 || boards.length === 0) return 'may do nothing';
  const where = boards.includes('*') ? 'all boards' : boards.length === 1 ? 'one board' : `${boards.length} boards`;
  const until = expiresAt === null ? '' : `, until ${new Date(expiresAt).toLocaleString()}`;
  return `may ${can.join(', ')} on ${where}${until}`;
}
