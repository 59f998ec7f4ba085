/** One card on the board: made once, then brought up to date in place, so that focus and a running drag survive. */
import { element, setText } from '../common/element.js';

const MOVES = [
  { action: 'left', sign: '←', label: 'to the previous column' },
  { action: 'up', sign: '↑', label: 'up' },
  { action: 'down', sign: '↓', label: 'down' },
  { action: 'right', sign: '→', label: 'to the next column' },
];

/** `onStep(cardId, action)` gets the four buttons. */
export class CardView {
  constructor(cardId, onStep) {
    this.ticket = element('span', { class: 'ticket' });
    this.chip = element('span', { class: 'chip' });
    this.status = element('span', { class: 'status' });
    this.title = element('p', { class: 'title' });
    this.notes = element('p', { class: 'notes' });
    this.buttons = MOVES.map(({ action, sign }) =>
      element('button', { type: 'button', 'data-action': action, onclick: () => onStep(cardId, action) }, sign),
    );
    this.moves = element('div', { class: 'moves' }, ...this.buttons);
    this.node = element(
      'li',
      { class: 'card', 'data-card-id': cardId },
      element('div', { class: 'card-head' }, this.ticket, this.chip, this.status),
      this.title,
      this.notes,
      this.moves,
    );
  }

  /** `place` says which moves are possible: `{left, up, down, right}` as booleans; null = the reader may move none. */
  update(card, { status, blockedBy, place }) {
    setText(this.ticket, card.ticketKey ?? '');
    setText(this.chip, card.ticketType ?? '');
    setText(this.title, card.title);
    setText(this.status, status ?? '');
    this.node.dataset.status = status ?? '';
    this.node.title = card.description ?? '';
    this.#updateNotes(card, blockedBy);
    this.node.draggable = place !== null;
    this.moves.hidden = place === null;
    if (place !== null) this.#updateButtons(card, place);
  }

  #updateNotes(card, blockedBy) {
    const parts = [];
    if (blockedBy.length > 0) parts.push(`waits for ${blockedBy.join(', ')}`);
    const links = [link(card.githubIssue?.url, `issue #${card.githubIssue?.issueNumber}`), link(card.prUrl, 'pull request')];
    this.notes.replaceChildren(parts.join(' '), ...links.filter((node) => node !== null).flatMap((node) => [' ', node]));
    this.notes.hidden = this.notes.textContent.trim() === '';
  }

  #updateButtons(card, place) {
    this.buttons.forEach((button, index) => {
      const { action, label } = MOVES[index];
      // aria-disabled keeps the focus where it is when a card reaches the edge; `disabled` would throw it away.
      button.setAttribute('aria-disabled', String(!place[action]));
      button.setAttribute('aria-label', `Move ${card.ticketKey ?? card.title} ${label}`);
    });
  }
}

/** A link to a web address; anything else (`javascript:` above all) is not made one. */
function link(url, text) {
  if (typeof url !== 'string' || !/^https?:\/\//i.test(url)) return null;
  return element('a', { href: url, rel: 'noreferrer noopener', target: '_blank' }, text);
}
