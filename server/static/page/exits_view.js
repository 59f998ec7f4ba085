/** The table of addresses under which the chosen board, the dashboard and the other exits can be reached. */
import { element } from '../common/element.js';

/**
 * Fill `table` for `boardId`, or with a placeholder when no board is chosen. `mayOpen(action)` tells whether an address with
 * that need becomes a link.
 */
export function showExits(table, boardId, mayOpen) {
  const board = boardId === null ? '{boardId}' : encodeURIComponent(boardId);
  table.replaceChildren(...exits(board).map((exit) => exitRow(exit, (boardId !== null || !exit.needsBoard) && mayOpen(exit.needs))));
}

function exits(board) {
  return [
    { id: 'ws-board', name: 'Board, raw WebSocket', path: `/api/v1/ws?boardId=${board}`, socket: true, protocol: 'JSON text frames', needsBoard: true },
    { id: 'sse-board', name: 'Board, raw SSE', path: `/api/v1/sse?boardId=${board}`, protocol: 'text/event-stream', opens: true, needsBoard: true, needs: 'read' },
    { id: 'rest-board', name: 'Board, REST', path: `/api/v1/boards/${board}`, protocol: 'GET, application/json', opens: true, needsBoard: true, needs: 'read' },
    { id: 'ws-dashboard', name: 'Dashboard, raw WebSocket', path: '/api/v1/ws/dashboard', socket: true, protocol: 'JSON text frames' },
    { id: 'sse-dashboard', name: 'Dashboard, raw SSE', path: '/api/v1/sse', protocol: 'text/event-stream', opens: true, needs: 'dashboard' },
    { id: 'graphql', name: 'GraphQL', path: '/graphql', protocol: 'POST, application/json' },
    { id: 'graphql-ws', name: 'GraphQL subscriptions', path: '/graphql', socket: true, protocol: 'graphql-transport-ws' },
    { id: 'graphiql', name: 'GraphiQL', path: '/graphql', protocol: 'in a browser', opens: true },
    { id: 'ingest', name: 'Ingest of domain events', path: '/api/v1/events', protocol: 'POST, application/json' },
  ];
}

function exitRow(exit, mayOpen) {
  const base = exit.socket ? location.origin.replace(/^http/, 'ws') : location.origin;
  const address = element('code', {}, base + exit.path);
  const isLink = exit.opens && mayOpen;
  return element(
    'tr',
    { 'data-exit': exit.id },
    element('th', { scope: 'row' }, exit.name),
    element('td', {}, isLink ? element('a', { href: exit.path }, address) : address),
    element('td', {}, exit.protocol),
  );
}
