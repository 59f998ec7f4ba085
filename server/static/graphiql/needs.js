/** What an operation of graphql/operations/ needs: the reader sees no tab for one that would be refused. */
import { may } from '../common/session.js';

const COMMENT = /^#.*$/gm;
const ROOT_FIELD = /\{\s*(\w+)/;
/** Field → [action, whether it needs all boards]. The first that fits counts, and everything else needs `read`. */
const NEEDS = [
  [/^projects$/, null],
  [/^(dashboard|agents$)/, 'dashboard', true],
  [/^(accessTokens|createAccessToken|revokeAccessToken|createProject)$/, 'admin', true],
  [/^(update|delete)Project$/, 'admin'],
  [/^publishAgentEvent$/, 'publish', true],
  [/^publish/, 'publish'],
  [/^((create|update|move|delete)Card|(queue|stop)Attempt)$/, 'write'],
  [/^/, 'read'],
];

/** Whether the session may run the operation, on one of its boards at least; without a session it is not known. */
export function mayRun(session, { query }) {
  const [, field] = query.replaceAll(COMMENT, '').match(ROOT_FIELD) ?? [];
  const [, action, everywhere] = NEEDS.find(([pattern]) => pattern.test(field));
  if (session === null || action === null) return true;
  const places = everywhere ? [null] : [null, ...session.boards];
  return places.some((boardId) => may(session, action, boardId));
}
