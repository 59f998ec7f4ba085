/** Changes of a board's state that the reader has made and the server has not confirmed yet. All functions are pure. */

/** @typedef {import('../boardcast.js').BoardState} BoardState */
/** @typedef {{columnId: string, index: number}} Place `index` is counted in the column without the card */
/** @typedef {(state: BoardState) => BoardState} Change */

/** @param {BoardState} state @param {string} cardId @returns {Place | null} */
export function placeOf(state, cardId) {
  for (const columnId of state.columnOrder) {
    const index = state.columns[columnId]?.cardIds.indexOf(cardId) ?? -1;
    if (index !== -1) return { columnId, index };
  }
  return null;
}

/** @param {string} cardId @param {Place} place @returns {Change} */
export const moved = (cardId, { columnId, index }) => (state) => {
  const from = placeOf(state, cardId);
  const target = state.columns[columnId];
  if (from === null || target === undefined) return state;
  if (from.columnId === columnId && from.index === index) return state;
  const without = withIds(state, from.columnId, (ids) => ids.filter((id) => id !== cardId));
  return withIds(without, columnId, (ids) => [...ids.slice(0, index), cardId, ...ids.slice(index)]);
};

/** @param {string} cardId @param {Record<string, unknown>} set @returns {Change} */
export const updated = (cardId, set) => (state) => {
  const card = state.cards[cardId];
  return card === undefined ? state : { ...state, cards: { ...state.cards, [cardId]: { ...card, ...set } } };
};

/** @param {string} cardId @returns {Change} */
export const deleted = (cardId) => (state) => {
  const from = placeOf(state, cardId);
  if (from === null) return state;
  const { [cardId]: _, ...cards } = state.cards;
  return { ...withIds(state, from.columnId, (ids) => ids.filter((id) => id !== cardId)), cards };
};

/** The card's place one step further, null at the edge. @param {BoardState} state @param {Place} from @param {string} step */
export function stepped(state, from, step) {
  if (step === 'up') return from.index > 0 ? { ...from, index: from.index - 1 } : null;
  if (step === 'down') return from.index < lengthOf(state, from.columnId) - 1 ? { ...from, index: from.index + 1 } : null;
  const columnId = state.columnOrder[state.columnOrder.indexOf(from.columnId) + (step === 'left' ? -1 : 1)];
  return columnId === undefined ? null : { columnId, index: Math.min(from.index, lengthOf(state, columnId)) };
}

/** The titles of the cards outside Done on which a card depends. @param {BoardState} state @param {string} cardId */
export function unfinishedDependencies(state, cardId) {
  const wanted = state.cards[cardId]?.dependsOn ?? [];
  if (wanted.length === 0) return '';
  const done = Object.values(state.columns).find(({ title }) => title === 'Done')?.cardIds ?? [];
  return wanted.filter((id) => state.cards[id] !== undefined && !done.includes(id)).map((id) => labelOf(state, id)).join(', ');
}

/** What to call a card in a line of text, null if it is not on the board. @param {BoardState | null} state @param {string | null} cardId */
export function labelOf(state, cardId) {
  const card = cardId === null ? undefined : state?.cards[cardId];
  return card === undefined ? null : (card.ticketKey ?? card.title);
}

/** @param {BoardState} state @param {string} columnId */
const lengthOf = (state, columnId) => state.columns[columnId]?.cardIds.length ?? 0;

/** @param {BoardState} state @param {string} columnId @param {(ids: readonly string[]) => readonly string[]} change @returns {BoardState} */
function withIds(state, columnId, change) {
  const column = state.columns[columnId];
  if (column === undefined) return state;
  return { ...state, columns: { ...state.columns, [columnId]: { ...column, cardIds: change(column.cardIds) } } };
}
