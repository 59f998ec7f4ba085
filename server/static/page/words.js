/** The words of the wire that a reader chooses from (docs/protocol.md). */

export const TICKET_TYPES = /** @type {const} */ (['feat', 'fix', 'chore', 'docs', 'style', 'refactor', 'perf', 'test', 'build', 'ci', 'revert']);
export const STATUSES = /** @type {const} */ (['queued', 'running', 'stopping', 'succeeded', 'failed', 'stopped']);
/** Attempts that have not ended. */
export const ACTIVE_STATUSES = ['queued', 'running', 'stopping'];
