/** The keyboard on the board: going from card to card, and carrying a card to another place. */
import { say } from './notices.js';
import { effect } from './preact.js';
import { labelOf, placeOf, stepped } from './moves.js';
import { TEXTS } from './texts.js';

/** @typedef {import('./board_model.js').BoardModel} BoardModel */

/** @type {Record<string, string>} */
const STEPS = { ArrowUp: 'up', ArrowDown: 'down', ArrowLeft: 'left', ArrowRight: 'right' };

/**
 * Watch the keys on `board`. Return a function that ends this.
 * @param {HTMLElement} board
 * @param {BoardModel} model
 * @param {boolean} mayWrite
 */
export function enableCardKeys(board, model, mayWrite) {
  const keys = new CardKeys(board, model, mayWrite);
  const aborter = new AbortController();
  const { signal } = aborter;
  document.addEventListener('keydown', (event) => keys.press(event), { signal });
  // Space picks the card up. Firefox clicks a button when the key goes up, whatever became of its way down.
  board.addEventListener('keyup', (event) => event.key === ' ' && cardIdOf(event.target) !== null && event.preventDefault(), { signal });
  board.addEventListener('focusin', (event) => keys.remember(event.target), { signal });
  document.addEventListener('pointerdown', () => keys.forget(), { signal });
  // A node that is drawn at another place loses the focus; the keyboard goes on where it was.
  const stop = effect(() => {
    void model.state.value;
    requestAnimationFrame(() => keys.restore());
  });
  return () => {
    aborter.abort();
    stop();
  };
}

class CardKeys {
  /** The card that has the focus, null = none. @type {string | null} */
  #focused = null;

  /** @param {HTMLElement} board @param {BoardModel} model @param {boolean} mayWrite */
  constructor(board, model, mayWrite) {
    this.board = board;
    this.model = model;
    this.mayWrite = mayWrite;
  }

  /** @param {KeyboardEvent} event */
  press(event) {
    // Between two places the carried card has no node, and nothing has the focus.
    const cardId = event.target === document.body ? this.#focused : cardIdOf(event.target);
    if (cardId === null || event.ctrlKey || event.altKey || event.metaKey) return;
    const isDone = this.model.carried.value === null ? this.#walk(event.key, cardId) : this.#carry(event.key);
    if (isDone) event.preventDefault();
  }

  /** @param {EventTarget | null} target */
  remember(target) {
    this.#focused = cardIdOf(target);
  }

  /** The pointer goes on; what the keyboard carried is put back. */
  forget() {
    this.#focused = null;
    this.model.carried.value = null;
  }

  restore() {
    if (this.#focused !== null && document.activeElement === document.body) this.#focus(this.#focused);
  }

  /** @param {string} key @param {string} cardId */
  #walk(key, cardId) {
    if (key === ' ') return this.#pickUp(cardId);
    const column = this.#card(cardId)?.closest('[data-column-id]');
    const step = STEPS[key];
    if (!column || step === undefined) return false;
    const cards = [...column.querySelectorAll('[data-card-id]')];
    const index = cards.findIndex((card) => card.getAttribute('data-card-id') === cardId);
    const isUpright = step === 'up' || step === 'down';
    const found = isUpright ? cards[index + (step === 'up' ? -1 : 1)] : cardBeside(column, step === 'left', index);
    this.#focus(found?.getAttribute('data-card-id') ?? cardId);
    return true;
  }

  /** @param {string} cardId */
  #pickUp(cardId) {
    const state = this.model.state.peek();
    const place = state && placeOf(state, cardId);
    if (!this.mayWrite || !place) return true; // no click, which would open the card
    this.model.carried.value = { cardId, ...place };
    say(TEXTS.card.carried(labelOf(state, cardId) ?? ''));
    return true;
  }

  /** @param {string} key */
  #carry(key) {
    const carried = this.model.carried.peek();
    const state = this.model.state.peek();
    if (carried === null || state === null) return false;
    const name = labelOf(state, carried.cardId) ?? '';
    const column = state.columns[carried.columnId];
    if (key === 'Escape') {
      this.model.carried.value = null;
      say(TEXTS.card.putBack(name));
    } else if (key === ' ' || key === 'Enter') {
      this.model.carried.value = null;
      this.model.move(carried.cardId, carried);
      say(TEXTS.card.dropped(name, column?.title ?? ''));
    } else if (STEPS[key] !== undefined) {
      this.#step(carried, STEPS[key], name);
    }
    return key !== 'Tab';
  }

  /** @param {NonNullable<BoardModel['carried']['value']>} carried @param {string} step @param {string} name */
  #step(carried, step, name) {
    const state = this.model.state.peek();
    const place = state && stepped(state, carried, step);
    if (!place) return;
    this.model.carried.value = { cardId: carried.cardId, ...place };
    const column = this.model.state.peek()?.columns[place.columnId];
    say(TEXTS.card.at(name, column?.title ?? '', place.index + 1, column?.cardIds.length ?? 0));
    requestAnimationFrame(() => this.#card(carried.cardId)?.scrollIntoView({ block: 'nearest', inline: 'nearest' }));
  }

  /** @param {string} cardId */
  #card(cardId) {
    return this.board.querySelector(`[data-card-id="${CSS.escape(cardId)}"]`);
  }

  /** @param {string} cardId */
  #focus(cardId) {
    const button = this.#card(cardId)?.querySelector('button');
    button?.focus();
    button?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }
}

/** @param {EventTarget | null} target */
function cardIdOf(target) {
  const button = target instanceof Element ? target.closest('.card-open') : null;
  return button?.closest('[data-card-id]')?.getAttribute('data-card-id') ?? null;
}

/** The card of the next column that has some. @param {Element} column @param {boolean} isBefore @param {number} index */
function cardBeside(column, isBefore, index) {
  for (let next = column; ;) {
    const sibling = isBefore ? next.previousElementSibling : next.nextElementSibling;
    if (sibling === null) return undefined;
    const cards = sibling.querySelectorAll('[data-card-id]');
    if (cards.length > 0) return cards[Math.min(index, cards.length - 1)];
    next = sibling;
  }
}
