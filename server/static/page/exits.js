/** The addresses under which the chosen board, the dashboard and the other exits can be reached. */
import { Dialog } from './dialog.js';
import { html, signal } from './preact.js';
import { boardInAddress } from './route.js';
import { TEXTS } from './texts.js';
import { may } from './visitor.js';

export const areExitsOpen = signal(false);

export function ExitsDialog() {
  if (!areExitsOpen.value) return null;
  const boardId = boardInAddress.value;
  const { exit, address, protocol, text, title } = TEXTS.exits;
  return html`
    <${Dialog} id="addresses" class="wide" title=${title} onClose=${() => (areExitsOpen.value = false)}>
      <p class="quiet">${text}</p>
      <div class="scroll"><table>
        <thead><tr><th scope="col">${exit}</th><th scope="col">${address}</th><th scope="col">${protocol}</th></tr></thead>
        <tbody id="exits">${exits(boardId === null ? '{boardId}' : encodeURIComponent(boardId)).map((one) => html`<${ExitRow} exit=${one} boardId=${boardId} />`)}</tbody>
      </table></div>
    <//>`;
}

/** @typedef {{id: keyof typeof TEXTS.exits.names, path: string, protocol: string, socket?: boolean, opens?: boolean, needsBoard?: boolean, needs?: string}} Exit */

/** @param {string} board @returns {Exit[]} */
function exits(board) {
  return [
    { id: 'ws-board', path: `/api/v1/ws?boardId=${board}`, socket: true, protocol: 'JSON text frames', needsBoard: true },
    { id: 'sse-board', path: `/api/v1/sse?boardId=${board}`, protocol: 'text/event-stream', opens: true, needsBoard: true, needs: 'read' },
    { id: 'rest-board', path: `/api/v1/boards/${board}`, protocol: 'GET, application/json', opens: true, needsBoard: true, needs: 'read' },
    { id: 'ws-dashboard', path: '/api/v1/ws/dashboard', socket: true, protocol: 'JSON text frames' },
    { id: 'sse-dashboard', path: '/api/v1/sse', protocol: 'text/event-stream', opens: true, needs: 'dashboard' },
    { id: 'graphql', path: '/graphql', protocol: 'POST, application/json' },
    { id: 'graphql-ws', path: '/graphql', socket: true, protocol: 'graphql-transport-ws' },
    { id: 'graphiql', path: '/graphql', protocol: TEXTS.exits.inBrowser, opens: true },
    { id: 'ingest', path: '/api/v1/events', protocol: 'POST, application/json' },
  ];
}

/** @param {{exit: Exit, boardId: string | null}} props */
function ExitRow({ exit, boardId }) {
  const address = html`<code>${(exit.socket ? location.origin.replace(/^http/, 'ws') : location.origin) + exit.path}</code>`;
  const isAllowed = exit.needs === undefined || may(exit.needs, exit.needs === 'dashboard' ? null : boardId);
  const isLink = exit.opens && isAllowed && (boardId !== null || !exit.needsBoard);
  return html`
    <tr data-exit=${exit.id}>
      <th scope="row">${TEXTS.exits.names[exit.id]}</th>
      <td>${isLink ? html`<a href=${exit.path}>${address}</a>` : address}</td>
      <td>${exit.protocol}</td>
    </tr>`;
}
