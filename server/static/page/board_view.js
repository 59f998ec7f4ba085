/** The board: columns with their cards, drawn from its states, and the commands of its user. */
import { CardView } from './card_view.js';
import { enableDragging } from './drag.js';
import { arrangeChildren, element, setText } from '../common/element.js';

/**
 * `onMove(cardId, columnId, index)` and `onCreate(columnId, title)` are called for commands of the user; nothing is
 * drawn before the server confirms it with a new `state`. `statusOf(cardId)` gives a card's attempt status or null.
 * `mayWrite()` tells whether the reader may command anything; else there is nothing to do it with.
 */
export class BoardView {
  constructor(root, { onMove, onCreate, statusOf, mayWrite }) {
    this.root = root;
    this.onMove = onMove;
    this.onCreate = onCreate;
    this.statusOf = statusOf;
    this.mayWrite = mayWrite;
    this.state = null;
    /** The frame that draws next, null = everything is drawn. */
    this.frame = null;
    this.columns = new Map();
    this.cards = new Map();
    enableDragging(root, (cardId, columnId, index) => this.#drop(cardId, columnId, index));
  }

  clear() {
    this.state = null;
    this.columns.clear();
    this.cards.clear();
    this.root.replaceChildren();
  }

  /** Show a state at the next frame. Of those that come faster only the last one is drawn. */
  show(state) {
    this.state = state;
    this.redraw();
  }

  /** Draw again what is known, for instance after an attempt's status changed. */
  redraw() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.#draw();
    });
  }

  #draw() {
    if (this.state === null) return;
    const focused = this.root.contains(document.activeElement) ? document.activeElement : null;
    forgetMissing(this.cards, this.state.cards);
    forgetMissing(this.columns, this.state.columns);
    arrangeChildren(this.root, this.state.columnOrder.map((id) => this.#drawColumn(id)));
    // A node that is moved in the document loses the focus; the keyboard goes on where it was.
    if (focused !== null && focused !== document.activeElement && focused.isConnected) focused.focus();
  }

  /** What to call a card in a line of text, or null when it is not on the board. */
  labelOf(cardId) {
    const card = this.state?.cards[cardId];
    return card ? (card.ticketKey ?? card.title) : null;
  }

  #drawColumn(columnId) {
    const { title, cardIds } = this.state.columns[columnId];
    const column = this.columns.get(columnId) ?? this.#makeColumn(columnId);
    setText(column.title, title);
    setText(column.count, String(cardIds.length));
    column.input.setAttribute('aria-label', `New card in ${title}`);
    column.form.hidden = !this.mayWrite();
    arrangeChildren(column.list, cardIds.map((cardId, index) => this.#drawCard(cardId, columnId, index)));
    return column.node;
  }

  #makeColumn(columnId) {
    const title = element('h3');
    const count = element('span', { class: 'count' });
    const list = element('ol', { class: 'cards' });
    const input = element('input', { name: 'title', required: true, maxlength: '500', autocomplete: 'off', placeholder: 'New card' });
    const form = element('form', { class: 'create-card' }, input, element('button', { type: 'submit' }, 'Add'));
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#create(columnId, form, input);
    });
    const node = element('section', { class: 'column', 'data-column-id': columnId }, element('header', {}, title, count), list, form);
    const column = { node, title, count, list, form, input };
    this.columns.set(columnId, column);
    return column;
  }

  async #create(columnId, form, input) {
    if (await this.onCreate(columnId, input.value)) form.reset();
  }

  #drawCard(cardId, columnId, index) {
    const view = this.cards.get(cardId) ?? new CardView(cardId, (id, action) => this.#step(id, action));
    this.cards.set(cardId, view);
    const card = this.state.cards[cardId];
    view.update(card, {
      status: this.statusOf(cardId),
      blockedBy: this.#unfinishedDependencies(card),
      place: this.mayWrite() ? this.#possibleSteps(columnId, index) : null,
    });
    return view.node;
  }

  #unfinishedDependencies(card) {
    const done = this.state.columnOrder.map((id) => this.state.columns[id]).find((column) => column.title === 'Done');
    const isOpen = (id) => this.state.cards[id] !== undefined && !done?.cardIds.includes(id);
    return (card.dependsOn ?? []).filter(isOpen).map((id) => this.labelOf(id));
  }

  #possibleSteps(columnId, index) {
    const { columnOrder, columns } = this.state;
    const place = columnOrder.indexOf(columnId);
    return {
      left: place > 0,
      right: place < columnOrder.length - 1,
      up: index > 0,
      down: index < columns[columnId].cardIds.length - 1,
    };
  }

  #placeOf(cardId) {
    const columnId = this.state.columnOrder.find((id) => this.state.columns[id].cardIds.includes(cardId));
    return columnId === undefined ? null : { columnId, index: this.state.columns[columnId].cardIds.indexOf(cardId) };
  }

  #step(cardId, action) {
    const from = this.#placeOf(cardId);
    if (from === null || !this.#possibleSteps(from.columnId, from.index)[action]) return;
    if (action === 'up' || action === 'down') {
      this.onMove(cardId, from.columnId, from.index + (action === 'up' ? -1 : 1));
      return;
    }
    const { columnOrder, columns } = this.state;
    const columnId = columnOrder[columnOrder.indexOf(from.columnId) + (action === 'left' ? -1 : 1)];
    this.onMove(cardId, columnId, columns[columnId].cardIds.length);
  }

  #drop(cardId, columnId, index) {
    const from = this.#placeOf(cardId);
    if (from !== null && (from.columnId !== columnId || from.index !== index)) this.onMove(cardId, columnId, index);
  }
}

function forgetMissing(views, known) {
  for (const id of views.keys()) if (!Object.hasOwn(known, id)) views.delete(id);
}
