/** A board as it was after one event of its log, which the reader chooses. */
import { signal } from './preact.js';
import { readPast } from './rest.js';
import { attempt } from './visitor.js';

/** @typedef {import('./rest.js').PastBoard} PastBoard */

export class PastModel {
  /** The board that is shown, null before the reader has asked for one. */
  past = signal(/** @type {PastBoard | null} */ (null));
  /** The offset to ask for next, 0 = the newest: a slider names more of them than the server is asked for. */
  wanted = signal(0);
  #boardId;
  #isAsking = false;

  /** @param {string} boardId */
  constructor(boardId) {
    this.#boardId = boardId;
  }

  /** Show the board after this event; 0 = the newest one. @param {number} offset */
  async show(offset) {
    this.wanted.value = offset;
    if (this.#isAsking) return;
    this.#isAsking = true;
    for (let asked = -1; asked !== this.wanted.value; ) {
      asked = this.wanted.value;
      await attempt(async () => {
        this.past.value = await readPast(this.#boardId, asked === 0 ? null : asked);
      });
    }
    this.#isAsking = false;
  }
}
