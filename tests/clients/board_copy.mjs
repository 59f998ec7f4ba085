/**
 * Keeps a copy of a board as docs/protocol.md describes it, from the deliveries `changes` and `patch` over npm
 * eventsource. It compares the hash of the copy with that of each heartbeat.
 */
import { createHash } from 'node:crypto';
import { EventSource } from 'eventsource';
import { obey, settings, report } from './lines.mjs';

let state;

function places() {
  return new Map(Object.values(state.columns).flatMap(({ id, cardIds }) => cardIds.map((card, n) => [card, `${n} ${id}`])));
}

function renewing(updatedAt, change) {
  const before = places();
  change();
  for (const [card, place] of places()) {
    if (updatedAt && before.get(card) !== place) state.cards[card].updatedAt = updatedAt;
  }
}

const apply = {
  state: (whole) => {
    state = whole;
  },
  card_created: ({ columnId, index, card }) => {
    state.cards[card.id] = card;
    state.columns[columnId].cardIds.splice(index, 0, card.id);
  },
  card_updated: ({ cardId, set, unset }) => {
    Object.assign(state.cards[cardId], set);
    for (const key of unset) delete state.cards[cardId][key];
  },
  card_moved: ({ cardId, fromColumnId, fromIndex, toColumnId, toIndex, updatedAt }) =>
    renewing(updatedAt, () => {
      state.columns[fromColumnId].cardIds.splice(fromIndex, 1);
      state.columns[toColumnId].cardIds.splice(toIndex, 0, cardId);
    }),
  card_deleted: ({ cardId, columnId, index, updatedAt }) =>
    renewing(updatedAt, () => {
      state.columns[columnId].cardIds.splice(index, 1);
      delete state.cards[cardId];
    }),
  columns_changed: ({ columns }) => {
    const old = state.columns;
    state.columnOrder = columns.map(({ id }) => id);
    state.columns = Object.fromEntries(
      columns.map(({ id, title }) => [id, { id, title, cardIds: old[id]?.cardIds ?? [] }]),
    );
  },
  patch: (operations) => {
    for (const { op, path, from, value } of operations) {
      if (op === 'remove') remove(path);
      else add(path, op === 'move' ? remove(from) : value, op === 'replace');
    }
  },
};

/** The object or list that contains the target of a JSON Pointer (RFC 6901), and the key there. */
function resolve(path) {
  const keys = path.split('/').slice(1).map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
  const last = keys.pop();
  return [keys.reduce((inside, key) => inside[key], state), last];
}

function add(path, value, replaces) {
  const [inside, key] = resolve(path);
  if (Array.isArray(inside) && !replaces) inside.splice(Number(key), 0, value);
  else inside[key] = value;
}

function remove(path) {
  const [inside, key] = resolve(path);
  if (Array.isArray(inside)) return inside.splice(Number(key), 1)[0];
  const value = inside[key];
  delete inside[key];
  return value;
}

/** RFC 8785: `JSON.stringify` with sorted keys. `sort` compares UTF-16 code units. */
function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical)}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const members = Object.keys(value).sort().map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`);
  return `{${members}}`;
}

const source = new EventSource(settings.streamUrl);
for (const [type, change] of Object.entries(apply)) {
  source.addEventListener(type, ({ data }) => {
    change(JSON.parse(data));
    report('change', { type });
  });
}
source.addEventListener('heartbeat', ({ data }) => {
  const { cursor, hash } = JSON.parse(data);
  const own = createHash('sha256').update(canonical(state)).digest('hex');
  report('heartbeat', { cursor, isRight: own === hash });
});

await obey({ show: () => report('copy', { state }) });
source.close();
