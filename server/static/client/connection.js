/**
 * Keeps one stream of the server open: it connects, comes back after each end that is not final, and gives it new tokens.
 *
 * Each try is a turn. What comes late from an earlier turn is ignored, so at most one connection, one pause and one refresh count.
 */
import { isFinalGoodbye, judge, Pauses } from './endings.js';
import { askForStatus, openEventStream } from './event_stream.js';
import { openSocket } from './socket.js';

/** Time for the token, the connection and its first envelope. */
const CONNECT_MS = 30_000;
const HEARTBEATS_TO_MISS = 2.5;
/** A WebSocket must say something within 150 s (`--heartbeat-timeout-seconds`). */
const SIGN_OF_LIFE_MS = 30_000;
const WARNING_MS = 60_000;
/** Shortest time to the next token; a WebSocket may send ten a minute. */
const REFRESH_MS = { websocket: 7000, sse: 1000 };
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export class Connection {
  #options;
  #owner;
  #pauses;
  #turn = 0;
  #stream = null;
  #aborter = null;
  #timers = new Map();
  #isEnded = false;
  #hasStatus = 'connecting';
  #token = null;
  /** `{token}` after the server has refused it. */
  #refused = null;
  #isAuthenticating = false;
  #isRefreshing = false;
  #heartbeatSeconds = 30;
  #clockAheadMs = 0;
  #helloAt = null;
  #heardAt = 0;

  /**
   * `options`: `{url, exit, WebSocket, token, maxPauseMs, areHeartbeatsSent}`; `token()` resolves to a token or null.
   *
   * `owner`: `address()` returns the URL of the next connection, for SSE and WebSocket alike; `begin(stream)` and `lose()` are called
   * when a connection is there and when it is not any more; `take(envelope)` gets each envelope; `status(value)` each status;
   * `forget()` drops the cursor and returns whether there was one.
   */
  constructor(options, owner) {
    this.#options = options;
    this.#owner = owner;
    this.#pauses = new Pauses(options.maxPauseMs);
    globalThis.addEventListener?.('online', this.#wakeOnline);
    globalThis.document?.addEventListener('visibilitychange', this.#wakeVisible);
    // Later, so that the application can listen first.
    queueMicrotask(() => {
      if (this.#isEnded) return;
      this.#say('connecting');
      this.#connect();
    });
  }

  /** A number that changes with each try. */
  get turn() {
    return this.#turn;
  }

  /** The owner has what it needs. */
  live() {
    if (!this.#isEnded && this.#hasStatus !== 'live') this.#say('live');
  }

  /** Come back after a pause. `hintMs` is what the server asked for; `isSpread`: each client was asked for another pause. */
  restart(reason, hintMs = 0, isSpread = false) {
    if (this.#isEnded) return;
    const lastedMs = this.#helloAt === null ? 0 : performance.now() - this.#helloAt;
    const pauseMs = this.#pauses.next({ lastedMs, hintMs, isSpread });
    this.#drop();
    this.#say('reconnecting', { reason, pauseMs });
    if (!this.#isEnded) this.#after('pause', pauseMs, () => this.#connect());
  }

  end(reason) {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#drop();
    globalThis.removeEventListener?.('online', this.#wakeOnline);
    globalThis.document?.removeEventListener('visibilitychange', this.#wakeVisible);
    this.#say('ended', { reason });
  }

  #say(status, more = {}) {
    this.#hasStatus = status;
    this.#owner.status({ status, ...more });
  }

  /** End what there is of this turn. */
  #drop() {
    this.#turn += 1;
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    this.#aborter?.abort();
    this.#stream?.close();
    this.#stream = this.#aborter = this.#helloAt = null;
    this.#isAuthenticating = this.#isRefreshing = false;
    this.#owner.lose();
  }

  #after(name, ms, act) {
    clearTimeout(this.#timers.get(name));
    this.#timers.set(name, setTimeout(() => {
      this.#timers.delete(name);
      act();
    }, Math.min(ms, LONGEST_TIMER_MS)));
  }

  /** `given`: a token that was just asked for. */
  async #connect(given) {
    this.#drop();
    const turn = this.#turn;
    this.#after('quiet', CONNECT_MS, () => this.restart('quiet'));
    let token;
    try {
      token = given ?? (await this.#options.token());
    } catch {
      if (turn === this.#turn) this.restart('no_token');
      return;
    }
    if (turn !== this.#turn) return;
    if (this.#refused !== null && this.#refused.token === token) {
      this.end('unauthenticated');
      return;
    }
    this.#token = token;
    this.#open(turn);
  }

  #open(turn) {
    const ifCurrent = (act) => (value) => {
      if (turn === this.#turn) act(value);
    };
    const handlers = {
      onSign: ifCurrent(() => this.#heard()),
      onEnvelope: ifCurrent((envelope) => this.#take(envelope)),
      onEnd: ifCurrent((end) => this.#ended(end)),
    };
    const { exit, WebSocket } = this.#options;
    try {
      this.#stream =
        exit === 'sse'
          ? openEventStream(this.#owner.address('sse'), this.#token, handlers)
          : openSocket(WebSocket, this.#owner.address('ws'), this.#token, handlers);
    } catch {
      this.end('refused'); // the browser does not allow this address from this page
    }
  }

  #heard() {
    this.#heardAt = performance.now();
    if (this.#helloAt === null) return; // the deadline of connecting holds
    if (this.#options.areHeartbeatsSent) this.#after('quiet', this.#heartbeatMs * HEARTBEATS_TO_MISS, () => this.restart('quiet'));
  }

  get #heartbeatMs() {
    return this.#heartbeatSeconds * 1000;
  }

  #take(envelope) {
    const turn = this.#turn;
    const { type, payload } = envelope;
    if (type === 'hello') this.#begin(payload);
    if (type === 'error' && payload.command === 'authenticate') this.#isAuthenticating = false;
    this.#owner.take(envelope);
    if (turn !== this.#turn) return;
    if (type === 'access') this.#plan(payload.expiresAt);
    if (type === 'goodbye') this.#leave(payload);
  }

  #begin({ heartbeatSeconds, serverTime }) {
    if (heartbeatSeconds > 0) this.#heartbeatSeconds = heartbeatSeconds;
    this.#clockAheadMs = Date.parse(serverTime) - Date.now() || 0;
    this.#helloAt = performance.now();
    this.#refused = null;
    clearTimeout(this.#timers.get('quiet'));
    this.#heard();
    this.#owner.begin(this.#stream);
    if (this.#stream.send) this.#showLife();
  }

  #showLife() {
    this.#after('life', SIGN_OF_LIFE_MS, () => {
      this.#stream.send({ type: 'pong' }); // nothing answers it
      this.#showLife();
    });
  }

  #leave({ reason, reconnectAfterMs }) {
    if (isFinalGoodbye(reason)) this.end(reason);
    else this.restart(reason, reconnectAfterMs ?? 0, true);
  }

  async #ended(end) {
    const turn = this.#turn;
    let known = end;
    if (end.code !== undefined && !end.isOpened) {
      this.#aborter = new AbortController();
      known = await askForStatus(this.#owner.address('sse'), this.#token, this.#aborter.signal);
      if (turn !== this.#turn) return;
    }
    const { reason, isFinal } = judge(known);
    if (known.status === 400 && this.#owner.forget()) {
      this.restart('invalid_cursor'); // perhaps the server is of another version now
    } else if (isFinal) {
      this.end(reason);
    } else if (reason === 'unauthenticated' && this.#refused === null) {
      // At once: the token may have ended while nobody was connected. The same token again is the end.
      this.#refused = { token: this.#token };
      this.#say('reconnecting', { reason, pauseMs: 0 });
      this.#connect();
    } else {
      if (reason === 'unauthenticated') this.#refused = { token: this.#token };
      this.restart(reason, known.retryAfterMs);
    }
  }

  /** The token ends at that time: get the next one before. */
  #plan(expiresAt) {
    const isAnswer = this.#isAuthenticating;
    this.#isAuthenticating = false;
    const leftMs = Date.parse(expiresAt) - Date.now() - this.#clockAheadMs;
    // If more is left after a new token, a warning comes in time.
    if (expiresAt === null || (isAnswer && leftMs > WARNING_MS)) return;
    const isAtOnce = this.#stream.send && !isAnswer;
    // A new stream is warned at once if its token ends soon, so a client of SSE waits for a part of the time that is left.
    const waitMs = isAtOnce ? 0 : Math.max(leftMs * (0.25 + Math.random() / 2), REFRESH_MS[this.#options.exit]);
    this.#after('refresh', waitMs, () => this.#refresh());
  }

  async #refresh() {
    if (this.#isRefreshing) return;
    this.#isRefreshing = true;
    const turn = this.#turn;
    const token = await this.#options.token().catch(() => null);
    if (turn !== this.#turn) return;
    this.#isRefreshing = false;
    if (token === null || token === this.#token) return; // the stream ends with its token, and comes back
    if (this.#stream.send) {
      this.#token = token;
      this.#isAuthenticating = true;
      this.#stream.send({ type: 'authenticate', payload: { token } });
    } else {
      this.#connect(token);
    }
  }

  /** The network is another one: the connection is lost, although nobody has noticed. */
  #wakeOnline = () => {
    if (this.#timers.has('pause') || this.#helloAt !== null) this.#connect();
  };

  /** The page is seen again, perhaps after the machine has slept. */
  #wakeVisible = () => {
    if (globalThis.document.visibilityState !== 'visible') return;
    const isQuiet = this.#options.areHeartbeatsSent && performance.now() - this.#heardAt > 1.5 * this.#heartbeatMs;
    if (this.#timers.has('pause') || (this.#helloAt !== null && isQuiet)) this.#connect();
  };
}
