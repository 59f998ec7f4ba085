/** Which cards of the board are shown. */
import { computed, signal } from './preact.js';

/** @typedef {import('../boardcast.js').Card} Card */

export class Filter {
  query = signal('');
  type = signal('');
  status = signal('');
  isOn = computed(() => this.query.value.trim() !== '' || this.type.value !== '' || this.status.value !== '');

  clear() {
    this.query.value = this.type.value = this.status.value = '';
  }

  /** @param {import('./board_model.js').BoardModel} model @param {readonly string[]} cardIds */
  shown(model, cardIds) {
    if (!this.isOn.value) return cardIds;
    const words = this.query.value.toLowerCase().split(/\s+/).filter(Boolean);
    const cards = model.state.value?.cards;
    return cardIds.filter((id) => this.#fits(cards?.[id], words) && this.#hasStatus(model, id));
  }

  /** @param {Card | undefined} card @param {string[]} words */
  #fits(card, words) {
    if (card === undefined || (this.type.value !== '' && card.ticketType !== this.type.value)) return false;
    const text = `${card.ticketKey ?? ''} ${card.title} ${card.description ?? ''}`.toLowerCase();
    return words.every((word) => text.includes(word));
  }

  /** @param {import('./board_model.js').BoardModel} model @param {string} cardId */
  #hasStatus(model, cardId) {
    const wanted = this.status.value;
    return wanted === '' || model.attempts.statusOf(cardId) === (wanted === 'none' ? '' : wanted);
  }
}
