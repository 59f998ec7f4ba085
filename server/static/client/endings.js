/** Which ends of a stream are final, and how long to wait after the others (docs/protocol.md, "How a stream ends"). */

const FIRST_PAUSE_MS = 500;
/** A connection that lasted so long was a good one: the pauses begin anew after it. */
const GOOD_MS = 10_000;
/** The longest pause that a server or a proxy can ask for. */
const MAX_HINT_MS = 600_000;

const FINAL_GOODBYES = new Set(['board_deleted', 'forbidden']);
/** Close code → reason. A client that broke the protocol would break it again. */
const FINAL_CODES = new Map([[1002, 'refused'], [1007, 'refused'], [1008, 'board_not_found'], [1009, 'refused'], [4403, 'forbidden']]);
const FINAL_STATUSES = new Map([[403, 'forbidden'], [404, 'board_not_found']]);
const PASSING_STATUSES = new Set([408, 425, 429]);

export const isFinalGoodbye = (reason) => FINAL_GOODBYES.has(reason);

/** Return `{reason, isFinal}` for the end of a connection; `reason` is `unauthenticated` after a wrong token. */
export function judge({ status = 0, isOurs = false, code }) {
  if (FINAL_CODES.has(code)) return { reason: FINAL_CODES.get(code), isFinal: true };
  if (code === 4401 || status === 401) return { reason: 'unauthenticated', isFinal: false };
  if (isOurs && status >= 400 && status < 500 && !PASSING_STATUSES.has(status)) {
    return { reason: FINAL_STATUSES.get(status) ?? 'refused', isFinal: true };
  }
  return { reason: status >= 400 ? 'unavailable' : 'lost', isFinal: false };
}

/** Pauses with full jitter, which grow while connections fail. */
export class Pauses {
  #failures = 0;
  #maxMs;

  constructor(maxMs) {
    this.#maxMs = maxMs;
  }

  /** Return the next pause. `lastedMs`: how long the connection was good; `hintMs`: what the server asked for. */
  next({ lastedMs, hintMs = 0, isSpread = false }) {
    if (lastedMs >= GOOD_MS) this.#failures = 0;
    const longest = Math.min(this.#maxMs, FIRST_PAUSE_MS * 2 ** Math.min(this.#failures, 20));
    this.#failures += 1;
    // The times of a goodbye are spread by the server. `Retry-After` is the same for all clients.
    const isFirst = this.#failures === 1;
    return Math.min(Math.max(hintMs, 0), MAX_HINT_MS) + (isSpread && isFirst ? 0 : Math.random() * longest);
  }
}
