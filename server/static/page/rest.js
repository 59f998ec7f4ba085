/** The REST calls of the page. */
import { call } from '../common/calls.js';

const cardPath = (boardId, cardId) => `/boards/${encodeURIComponent(boardId)}/cards/${encodeURIComponent(cardId)}`;

export const listBoards = () => call('GET', '/projects');
export const createBoard = (name, repositoryPath) => call('POST', '/projects', { name, repositoryPath });
export const createCard = (boardId, columnId, title) =>
  call('POST', `/boards/${encodeURIComponent(boardId)}/cards`, { columnId, title });
export const moveCard = (boardId, cardId, columnId, index) =>
  call('PATCH', cardPath(boardId, cardId), { columnId, index });
