/** The REST calls of the page. */
import { call } from '../common/calls.js';

/** @param {string[]} parts */
const path = (...parts) => `/${parts.map(encodeURIComponent).join('/')}`;

/** @typedef {{id: string, name: string, repositoryPath: string, repositoryUrl: string | null, repositorySlug: string | null, createdAt: string}} Project */

/** @returns {Promise<Project[]>} */
export const listBoards = () => call('GET', '/projects');
/** @param {string} name @param {string} repositoryPath @returns {Promise<Project>} */
export const createBoard = (name, repositoryPath) => call('POST', '/projects', { name, repositoryPath });
/** @param {string} boardId @param {string} name */
export const renameBoard = (boardId, name) => call('PATCH', path('projects', boardId), { name });
/** @param {string} boardId */
export const deleteBoard = (boardId) => call('DELETE', path('projects', boardId));
/** @param {string} boardId @param {string} cardId @param {string[]} dependsOn */
export const setDependencies = (boardId, cardId, dependsOn) => call('PATCH', path('boards', boardId, 'cards', cardId), { dependsOn });
/**
 * The newest attempt of a card, or the one of that id.
 * @param {string} boardId @param {string} cardId @param {string | null} attemptId @param {string} [after] of an earlier page
 */
export const readAttempt = (boardId, cardId, attemptId, after) => {
  const query = new URLSearchParams({ ...(attemptId !== null && { attemptId }), ...(after !== undefined && { after }) });
  return call('GET', `${path('boards', boardId, 'cards', cardId, 'attempt')}?${query}`);
};
/** @param {string} boardId @param {string} cardId @param {string} agent */
export const queueAttempt = (boardId, cardId, agent) => call('POST', path('boards', boardId, 'cards', cardId, 'attempts'), { agent });
/** @param {string} boardId @param {string} attemptId */
export const stopAttempt = (boardId, attemptId) =>
  call('PATCH', `${path('attempts', attemptId)}?boardId=${encodeURIComponent(boardId)}`, { status: 'stopped' });
/** @returns {Promise<{agents: {key: string, label: string}[]}>} */
export const listAgents = () => call('GET', '/agents');
/** @param {string} timeRangePreset */
export const readDashboard = (timeRangePreset) => call('GET', `/dashboard?timeRangePreset=${encodeURIComponent(timeRangePreset)}`);
/** @typedef {{exit: string, boardId: string | null, detail: string, cursor: string, behind: number, queued: number, lastGap: string | null}} OpenStream */
/** @returns {Promise<{total: number, streams: OpenStream[]}>} */
export const listStreams = () => call('GET', '/streams');
/**
 * @typedef {{name: string, version: string, address: string, startedAt: string, lastSeenAt: string, isSilent: boolean, isLeader: boolean,
 *   readers: number, eventsStored: number, headsBehind: number, repairs: number, brokerProblem: string | null}} Node
 */
/** @returns {Promise<Node[]>} */
export const listNodes = () => call('GET', '/nodes');
/**
 * @typedef {{offset: number, first: number, last: number, event: {name: string, at: string} | null,
 *   state: import('../boardcast.js').BoardState | null}} PastBoard
 */
/** The board after an event of its log; null = the last one. @param {string} boardId @param {number | null} offset @returns {Promise<PastBoard>} */
export const readPast = (boardId, offset) => call('GET', `${path('boards', boardId, 'past')}${offset === null ? '' : `?offset=${offset}`}`);
/** @param {string} name @param {unknown} payload @returns {Promise<{accepted: {cursor: string}[]}>} */
export const publishEvent = (name, payload) => call('POST', '/events', { name, payload });
