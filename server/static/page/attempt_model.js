/** The newest attempt of a card, or a chosen one: what the server knows of it, and what happens to it from then on. */
import { Refused } from '../common/calls.js';
import { effect, signal } from './preact.js';
import { readAttempt } from './rest.js';
import { showError } from './notices.js';
import { ACTIVE_STATUSES } from './words.js';

/** Entries of each list that are kept; older ones go. */
const ENTRIES_KEPT = 2000;
/** Pages that are asked for; a page has up to 1,000 entries of each list. */
const MAX_PAGES = 5;

/** @typedef {{ts: string, level: string, message: string}} LogEntry */
/** @typedef {{type: string, timestamp: string, [key: string]: any}} Item */

export class AttemptModel {
  phase = signal(/** @type {'loading' | 'none' | 'there' | 'failed'} */ ('loading'));
  attempt = signal(/** @type {any} */ (null));
  logs = signal(/** @type {readonly LogEntry[]} */ ([]));
  conversation = signal(/** @type {readonly Item[]} */ ([]));
  todos = signal(/** @type {any} */ (null));
  pullRequest = signal(/** @type {any} */ (null));
  /** Whether entries were left out, here or at the server. */
  isCut = signal(false);
  #model;
  #cardId;
  /** null = the newest one, also when there is a newer one. */
  #attemptId;
  #stop;
  #stopLoading;
  /** Counts the loads: what an earlier one brings is late. */
  #load = 0;
  /** Events that came during a load. @type {{type: string, payload: any}[] | null} */
  #early = null;

  /** @param {import('./board_model.js').BoardModel} model @param {string} cardId @param {string | null} attemptId null = the newest one */
  constructor(model, cardId, attemptId) {
    this.#model = model;
    this.#cardId = cardId;
    this.#attemptId = attemptId;
    this.#stop = model.onEvent(({ type, payload, isOpening }) => !isOpening && this.#receive(type, payload));
    // After a lost connection too: an answer may be lost with it, or what the server has told meanwhile.
    this.#stopLoading = effect(() => {
      if (model.status.value.status === 'live') this.load();
    });
  }

  close() {
    this.#load = -1;
    this.#stop();
    this.#stopLoading();
  }

  async load() {
    if (this.#load < 0) return;
    const load = (this.#load += 1);
    this.#early = [];
    try {
      const found = await this.#read();
      if (load !== this.#load) return;
      this.#show(found);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (load !== this.#load) return;
      this.#early = null;
      this.phase.value = error.status === 404 ? 'none' : 'failed';
      if (error.status !== 404) showError(error.message);
    }
  }

  async #read() {
    const first = await readAttempt(this.#model.boardId, this.#cardId, this.#attemptId);
    let { logs, conversation, nextAfter } = first;
    for (let page = 1; nextAfter !== undefined && page < MAX_PAGES; page += 1) {
      const more = await readAttempt(this.#model.boardId, this.#cardId, this.#attemptId, nextAfter);
      [logs, conversation, nextAfter] = [[...logs, ...more.logs], [...conversation, ...more.conversation], more.nextAfter];
    }
    return { ...first, logs, conversation, isCut: nextAfter !== undefined };
  }

  /** @param {any} found */
  #show({ attempt, logs, conversation, todos, isCut }) {
    const early = this.#early ?? [];
    this.#early = null;
    this.attempt.value = attempt;
    this.isCut.value = isCut || logs.length > ENTRIES_KEPT || conversation.length > ENTRIES_KEPT;
    this.logs.value = logs.slice(-ENTRIES_KEPT);
    this.conversation.value = conversation.reduce(withItem, /** @type {Item[]} */ ([])).slice(-ENTRIES_KEPT);
    this.todos.value = todos?.todos ?? todos;
    this.phase.value = 'there';
    for (const { type, payload } of early) if (!this.#isKnown(type, payload)) this.#receive(type, payload);
  }

  /** An event may come before the answer that has it too. @param {string} type @param {any} payload */
  #isKnown(type, payload) {
    if (type === 'attempt_log') return this.logs.value.some(({ ts, message }) => ts === payload.ts && message === payload.message);
    return type === 'conversation_item' && this.conversation.value.some((item) => JSON.stringify(item) === JSON.stringify(payload.item));
  }

  /** @param {string} type @param {any} payload */
  #receive(type, payload) {
    if (this.#early !== null) {
      this.#early.push({ type, payload });
      this.#early.splice(0, this.#early.length - ENTRIES_KEPT);
      return;
    }
    const isOwn = this.attempt.value !== null && payload.attemptId === this.attempt.value.id;
    const isNew = this.#attemptId === null && payload.cardId === this.#cardId && !isOwn;
    if (type === 'gap' || isNew || (isOwn && type === 'attempt_started')) this.load();
    else if (isOwn) TAKES[type]?.(this, payload);
  }
}

/** Type of an event → what it changes. @type {Record<string, (model: AttemptModel, payload: any) => void>} */
const TAKES = {
  attempt_status: (model, { status }) => {
    model.attempt.value = { ...model.attempt.value, status };
    if (!ACTIVE_STATUSES.includes(status)) model.load(); // when it has ended, the event does not say
  },
  attempt_session: (model, { sessionId }) => {
    model.attempt.value = { ...model.attempt.value, sessionId };
  },
  attempt_log: (model, { ts, level, message }) => {
    model.logs.value = [...model.logs.value, { ts, level, message }].slice(-ENTRIES_KEPT);
  },
  conversation_item: (model, { item }) => {
    model.conversation.value = withItem(model.conversation.value, item).slice(-ENTRIES_KEPT);
  },
  attempt_todos: (model, { todos }) => {
    model.todos.value = todos;
  },
  attempt_pr: (model, { pr }) => {
    model.pullRequest.value = pr;
  },
};

/**
 * An item takes the place of the one with its id. A tool or a step of automation is told again when it ends, perhaps with another id.
 * @param {readonly Item[]} items
 * @param {Item} item
 */
function withItem(items, item) {
  const started = startOf(item);
  const index = items.findLastIndex((one) => (item.id && one.id === item.id) || (started !== null && startOf(one) === started));
  return index === -1 ? [...items, item] : items.map((one, place) => (place === index ? item : one));
}

/** @param {Item} item */
function startOf(item) {
  const run = item.type === 'tool' ? item.tool : item.type === 'automation' ? item : null;
  return run?.startedAt ? `${item.type} ${run.name ?? run.stage} ${run.command} ${run.startedAt}` : null;
}
