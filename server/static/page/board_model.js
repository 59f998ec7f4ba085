/**
 * The chosen board: its live copy, the changes of the reader that wait for the server, its attempts and what happens on it.
 * A change is drawn at once. If the server refuses it, it is taken back, and the reader learns why.
 */
import { Board, CommandRefused } from '../boardcast.js';
import { Activity } from './activity.js';
import { Attempts } from './attempts.js';
import { clearErrors, showError } from './notices.js';
import { batch, computed, signal } from './preact.js';
import { deleted, labelOf, moved, placeOf, updated } from './moves.js';
import { TEXTS } from './texts.js';

/** @typedef {import('../boardcast.js').BoardState} BoardState */
/** @typedef {import('../boardcast.js').StreamEvent} StreamEvent */
/** @typedef {import('../boardcast.js').Status} Status */
/** @typedef {import('../boardcast.js').CommandPayloads} CommandPayloads */
/** @typedef {import('./moves.js').Change} Change */
/** @typedef {import('./moves.js').Place} Place */

export class BoardModel {
  #board;
  #server = signal(/** @type {BoardState | null} */ (null));
  #pending = signal(/** @type {readonly Change[]} */ ([]));
  /** The card that the keyboard carries, and where it is now. */
  carried = signal(/** @type {({cardId: string} & Place) | null} */ (null));
  /** The state with all changes that are not confirmed. */
  #settled = computed(() => this.#server.value && this.#pending.value.reduce((state, change) => change(state), this.#server.value));
  /** The same, with the card that the keyboard carries at its place; null before the first state. */
  state = computed(() => {
    const carried = this.carried.value;
    return this.#settled.value && carried ? moved(carried.cardId, carried)(this.#settled.value) : this.#settled.value;
  });
  status = signal(/** @type {Status} */ ({ status: 'connecting' }));
  attempts = new Attempts();
  activity = new Activity();
  #isHeld = false;
  /** The frame that draws next, 0 = everything is drawn. */
  #frame = 0;

  /** @param {string} boardId */
  constructor(boardId) {
    this.boardId = boardId;
    this.#board = new Board(boardId);
    this.#board.on('state', () => this.#drawSoon());
    this.#board.on('event', (event) => this.#receive(event));
    this.#board.on('status', (status) => {
      this.status.value = status;
    });
  }

  close() {
    cancelAnimationFrame(this.#frame);
    this.#board.close();
  }

  /** Call `listener` with each event. @param {(event: StreamEvent) => void} listener */
  onEvent(listener) {
    return this.#board.on('event', listener);
  }

  /** Draw no state until `release`: the pointer drags nodes about. */
  hold() {
    this.#isHeld = true;
  }

  release() {
    this.#isHeld = false;
    this.#drawSoon();
  }

  /** @param {string} cardId @param {Place} place */
  move(cardId, place) {
    const settled = this.#settled.peek();
    const from = settled === null ? null : placeOf(settled, cardId);
    if (from !== null && from.columnId === place.columnId && from.index === place.index) return;
    this.#change(moved(cardId, place), 'move_card', { cardId, toColumnId: place.columnId, toIndex: place.index });
  }

  /** @param {string} cardId @param {Omit<CommandPayloads['update_card'], 'cardId'>} set */
  update(cardId, set) {
    return this.#change(updated(cardId, set), 'update_card', { cardId, ...set });
  }

  /** @param {string} cardId */
  delete(cardId) {
    return this.#change(deleted(cardId), 'delete_card', { cardId });
  }

  /** Resolve to the id of the new card, null after a refusal. @param {string} columnId @param {string} title */
  async create(columnId, title) {
    const before = new Set(this.#board.state?.columns[columnId]?.cardIds);
    if (!(await this.#change((state) => state, 'create_card', { columnId, title }))) return null;
    const ids = this.#board.state?.columns[columnId]?.cardIds ?? [];
    return ids.findLast((id) => !before.has(id) && this.#board.state?.cards[id]?.title === title.trim()) ?? null;
  }

  /**
   * Draw a change, send it, and resolve to whether the server has carried it out.
   * @template {keyof CommandPayloads} T
   * @param {Change} change
   * @param {T} type
   * @param {CommandPayloads[T]} payload
   */
  async #change(change, type, payload) {
    clearErrors();
    this.#pending.value = [...this.#pending.value, change];
    try {
      await this.#board.send(type, payload);
      return true;
    } catch (error) {
      if (!(error instanceof CommandRefused)) throw error;
      showError(TEXTS.refused(error.code, error.message));
      return false;
    } finally {
      batch(() => {
        this.#draw(); // the state with the change came before the answer
        this.#pending.value = this.#pending.value.filter((one) => one !== change);
      });
    }
  }

  #drawSoon() {
    // Of states that come faster than frames only the last one is drawn.
    if (this.#frame === 0) this.#frame = requestAnimationFrame(() => this.#draw());
  }

  #draw() {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    if (!this.#isHeld) this.#server.value = this.#board.state;
  }

  /** @param {StreamEvent} event */
  #receive({ type, payload, isOpening }) {
    if (type === 'state') this.attempts.startSnapshot();
    if (type === 'attempt_started' || type === 'attempt_status') this.attempts.update(payload, isOpening);
    // The cards show the statuses that the server sends after connecting; the list shows later events only.
    if (isOpening) return;
    const cardId = payload.cardId ?? this.attempts.cardOf(payload.attemptId);
    this.activity.add(type, payload, labelOf(this.#board.state, cardId));
  }
}
