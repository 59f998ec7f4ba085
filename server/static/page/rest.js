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
