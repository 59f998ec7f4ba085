/** Knows which attempts belong to which card, and how they stand. */
import { signal } from './preact.js';

/** @typedef {{attemptId: string, cardId: string | null, status: string}} Attempt */
/** @typedef {import('@preact/signals-core').Signal<readonly Attempt[]>} AttemptsOfCard newest first */

export class Attempts {
  /** @type {Map<string, Attempt>} */
  #byId = new Map();
  /** One signal a card, so that only the card of a changed attempt is drawn again. @type {Map<string, AttemptsOfCard>} */
  #ofCard = new Map();
  /** The cards whose attempts the server has named since it connected. @type {Map<string, Attempt[]>} */
  #announced = new Map();

  /** A new connection: the server is about to name every attempt of the board, newest first. */
  startSnapshot() {
    this.#announced.clear();
  }

  /**
   * Take in an `attempt_started` or `attempt_status` payload.
   * @param {{attemptId: string, cardId?: string, status?: string}} payload
   * @param {boolean} isSnapshot
   */
  update({ attemptId, cardId, status }, isSnapshot) {
    const known = this.#byId.get(attemptId);
    const attempt = { attemptId, cardId: cardId ?? known?.cardId ?? null, status: status ?? known?.status ?? 'running' };
    this.#byId.set(attemptId, attempt);
    if (attempt.cardId === null) return;
    const others = this.ofCard(attempt.cardId);
    others.value = isSnapshot ? this.#announce(attempt.cardId, attempt) : withAttempt(others.peek(), attempt);
  }

  /** @param {string} attemptId */
  cardOf(attemptId) {
    return this.#byId.get(attemptId)?.cardId ?? null;
  }

  /** @param {string} cardId @returns {AttemptsOfCard} */
  ofCard(cardId) {
    const found = this.#ofCard.get(cardId) ?? signal(/** @type {readonly Attempt[]} */ ([]));
    this.#ofCard.set(cardId, found);
    return found;
  }

  /** The status of the card's newest attempt, '' if it has none. @param {string} cardId */
  statusOf(cardId) {
    return this.ofCard(cardId).value[0]?.status ?? '';
  }

  /** @param {string} cardId @param {Attempt} attempt */
  #announce(cardId, attempt) {
    const announced = [...(this.#announced.get(cardId) ?? []), attempt];
    this.#announced.set(cardId, announced);
    return announced;
  }
}

/** @param {readonly Attempt[]} attempts @param {Attempt} attempt */
function withAttempt(attempts, attempt) {
  const isKnown = attempts.some(({ attemptId }) => attemptId === attempt.attemptId);
  return isKnown ? attempts.map((one) => (one.attemptId === attempt.attemptId ? attempt : one)) : [attempt, ...attempts];
}
