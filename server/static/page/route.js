/**
 * What the address names: the view by its path, the board and the card by its fragment, `#<board>` or `#<board>/card/<card>`. The
 * pages are at `/`, or at `/boardcast` if the server has another web client at `/`.
 */
import { computed, signal } from './preact.js';

const BASE = location.pathname.startsWith('/boardcast') ? '/boardcast' : '';
const CARD = 'card';

const hash = signal(location.hash.slice(1));
addEventListener('hashchange', () => {
  hash.value = location.hash.slice(1);
});

/** @type {'board' | 'dashboard' | 'inspector'} */
export const view = location.pathname.endsWith('/dashboard') ? 'dashboard' : location.pathname.endsWith('/inspector') ? 'inspector' : 'board';

const parts = computed(() => hash.value.split('/').map(decoded));

/** The board in the address, null if there is none. */
export const boardInAddress = computed(() => parts.value[0] || null);
/** The card in the address, null if there is none. */
export const cardInAddress = computed(() => (parts.value[1] === CARD && parts.value[2]) || null);

export const pathOf = {
  boards: BASE || '/',
  dashboard: `${BASE}/dashboard`,
  inspector: `${BASE}/inspector`,
};

/** @param {string} boardId */
export const addressOfBoard = (boardId) => `${view === 'board' ? '' : pathOf.boards}#${encodeURIComponent(boardId)}`;

/** @param {string} boardId @param {string} cardId */
export const addressOfCard = (boardId, cardId) => `${addressOfBoard(boardId)}/${CARD}/${encodeURIComponent(cardId)}`;

/** @param {string} address one of the two above */
export function go(address) {
  location.hash = address.slice(address.indexOf('#'));
}

/** @param {string} part */
function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // not percent-encoded: somebody typed it
  }
}
