/** Knows which attempt belongs to which card, and which attempt of a card is its newest. */

export class Attempts {
  constructor() {
    this.byId = new Map();
    this.newestOfCard = new Map();
    this.announced = new Set();
  }

  /** A new connection: the server is about to name every attempt of the board, newest first. */
  startSnapshot() {
    this.announced.clear();
  }

  /** Take in an `attempt_started` or `attempt_status` payload. */
  update({ attemptId, cardId, status }, isSnapshot) {
    const known = this.byId.get(attemptId);
    const attempt = { cardId: cardId ?? known?.cardId ?? null, status: status ?? known?.status ?? 'running' };
    this.byId.set(attemptId, attempt);
    if (attempt.cardId === null) return;
    const isNewest = isSnapshot ? !this.announced.has(attempt.cardId) : known === undefined;
    if (isSnapshot) this.announced.add(attempt.cardId);
    if (isNewest || !this.newestOfCard.has(attempt.cardId)) this.newestOfCard.set(attempt.cardId, attemptId);
  }

  cardOf(attemptId) {
    return this.byId.get(attemptId)?.cardId ?? null;
  }

  /** The status of the card's newest attempt, or null. */
  statusOfCard(cardId) {
    return this.byId.get(this.newestOfCard.get(cardId))?.status ?? null;
  }
}
