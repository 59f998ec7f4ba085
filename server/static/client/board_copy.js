/**
 * The copy of a board: how each envelope of the delivery `changes` changes it, and its hash (docs/protocol.md).
 *
 * A change makes a new state and leaves the old one as it was, so an application may keep any state and compare parts by `===`.
 */

/** Type of an envelope → the function `(state, payload) => state`. It throws if the change does not fit the state. */
const CHANGES = new Map(Object.entries({
  state: (_, whole) => whole,
  card_created: (state, { columnId, index, card }) => ({
    ...state,
    cards: { ...state.cards, [card.id]: card },
    columns: withCardIds(state, columnId, (ids) => ids.splice(index, 0, card.id)),
  }),
  card_updated: (state, { cardId, set, unset }) => {
    const card = { ...own(state.cards, cardId), ...set };
    for (const key of unset) delete card[key];
    return { ...state, cards: { ...state.cards, [cardId]: card } };
  },
  card_moved: (state, { cardId, fromColumnId, fromIndex, toColumnId, toIndex, updatedAt }) => {
    const without = { ...state, columns: withCardIds(state, fromColumnId, (ids) => take(ids, fromIndex, cardId)) };
    const columns = withCardIds(without, toColumnId, (ids) => ids.splice(toIndex, 0, cardId));
    return renewed(state, { ...state, columns }, [fromColumnId, toColumnId], updatedAt);
  },
  card_deleted: (state, { cardId, columnId, index, updatedAt }) => {
    const { [cardId]: _, ...cards } = state.cards;
    const columns = withCardIds(state, columnId, (ids) => take(ids, index, cardId));
    return renewed(state, { ...state, cards, columns }, [columnId], updatedAt);
  },
  columns_changed: (state, { columns }) => ({
    ...state,
    columnOrder: columns.map(({ id }) => id),
    columns: Object.fromEntries(columns.map(({ id, title }) => {
      const cardIds = Object.hasOwn(state.columns, id) ? state.columns[id].cardIds : [];
      return [id, { id, title, cardIds }];
    })),
  }),
}));

export const isChange = (type) => CHANGES.has(type);

/** Return the state after an envelope for which `isChange` is true. `state` is null before the first one. */
export function changed(state, { type, payload }) {
  if (state === null && type !== 'state') throw new Error(`${type} before the first state`);
  return CHANGES.get(type)(state, payload);
}

/** A board has ids like `constructor` if somebody reports them. Only the object's own keys count. */
function own(object, key) {
  if (!Object.hasOwn(object, key)) throw new Error(`the copy has no ${key}`);
  return object[key];
}

function withCardIds(state, columnId, change) {
  const column = own(state.columns, columnId);
  const cardIds = [...column.cardIds];
  change(cardIds);
  return { ...state.columns, [columnId]: { ...column, cardIds } };
}

function take(cardIds, index, cardId) {
  if (cardIds[index] !== cardId) throw new Error(`the copy has ${cardId} at another place`);
  cardIds.splice(index, 1);
}

/** Give each card whose place in these columns is another one than before the new `updatedAt`. */
function renewed(before, after, columnIds, updatedAt) {
  if (updatedAt === undefined) return after;
  const cards = { ...after.cards };
  for (const columnId of new Set(columnIds)) {
    const earlier = before.columns[columnId].cardIds;
    after.columns[columnId].cardIds.forEach((cardId, index) => {
      if (earlier[index] !== cardId) cards[cardId] = { ...own(cards, cardId), updatedAt };
    });
  }
  return { ...after, cards };
}

/** RFC 8785: `JSON.stringify` with sorted keys. `sort` compares UTF-16 code units. */
export function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical)}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  return `{${Object.keys(value).sort().map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`)}}`;
}

/**
 * Resolve to the hash of the state as it is now, in lower-case hex. Resolve to null where a browser has no `crypto.subtle`: on
 * a page that came over http from another host than this one.
 */
export async function hashOf(state) {
  if (globalThis.crypto?.subtle === undefined) return null;
  const bytes = new TextEncoder().encode(canonical(state));
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
