/** The event log of a board. REST has no call for it, so it is the one thing that the page asks GraphQL for. */
import { Board } from '../boardcast.js';
import { Refused } from '../common/calls.js';
import { signal } from './preact.js';
import { attempt } from './visitor.js';

const QUERY = `query ($board: ID!, $after: String) {
  events(boardId: $board, after: $after, first: 500) { nodes { name at cursor offset payload } pageInfo { hasNextPage endCursor } }
}`;
/** Events that are kept; older ones go. */
const EVENTS_KEPT = 1000;
const MAX_PAGES = 20;
const MIN_PAUSE_MS = 500;

/** @typedef {{name: string, at: string, cursor: string, offset: number, payload: any}} LoggedEvent */

export class EventLog {
  /** Oldest first. */
  events = signal(/** @type {readonly LoggedEvent[]} */ ([]));
  isLoading = signal(true);
  #boardId;
  #board;
  /** @type {string | null} */
  #after = null;
  #isClosed = false;
  /** The next look at the log, 0 = none. */
  #timer = 0;

  /** @param {string} boardId */
  constructor(boardId) {
    this.#boardId = boardId;
    this.#board = new Board(boardId);
    this.#board.on('event', ({ cursor }) => cursor !== null && this.#lookSoon());
    this.#look();
  }

  close() {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#board.close();
  }

  #lookSoon() {
    if (this.#timer === 0) this.#timer = setTimeout(() => this.#look(), MIN_PAUSE_MS);
  }

  async #look() {
    this.#timer = -1; // an event that comes during the look is seen by the next one
    await attempt(async () => {
      for (let page = 0, hasMore = true; hasMore && page < MAX_PAGES && !this.#isClosed; page += 1) hasMore = await this.#readPage();
    }, { isRepeated: this.#after !== null });
    this.isLoading.value = false;
    this.#timer = 0;
  }

  async #readPage() {
    const { nodes, pageInfo } = await ask(this.#boardId, this.#after);
    this.#after = pageInfo.endCursor ?? this.#after;
    if (nodes.length > 0) this.events.value = [...this.events.value, ...nodes].slice(-EVENTS_KEPT);
    return pageInfo.hasNextPage;
  }
}

/** @param {string} board @param {string | null} after */
async function ask(board, after) {
  const response = await fetch('/graphql', {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/graphql-response+json' },
    body: JSON.stringify({ query: QUERY, variables: { board, after } }),
  }).catch(() => null);
  const answer = await response?.json().catch(() => null);
  const events = answer?.data?.events;
  if (!events) throw new Refused(answer?.errors?.[0]?.message ?? answer?.detail ?? `GraphQL: ${response?.status ?? 0}`, response?.status ?? 0);
  return events;
}
