/**
 * The client of Boardcast: follows a board or the dashboard, and comes back by itself. It has no dependencies, and runs in browsers
 * and in Node.js 20. docs/clients.md has an example; docs/protocol.md describes the wire. `boardcast.d.ts` has the types.
 */
import { changed, hashOf, isChange } from './client/board_copy.js';
import { CommandRefused, Commands } from './client/commands.js';
import { Connection } from './client/connection.js';
import { Emitter } from './client/emitter.js';

export { CommandRefused };

const DEFAULT_MAX_PAUSE_MS = 30_000;

/**
 * Follows a board. Its events:
 *
 * - `state`, the board, after each change of it. A state never changes; the next one shares its unchanged parts.
 * - `event`, each envelope: `{type, payload, cursor, isOpening}`. `isOpening`: it tells how an attempt stands, not that it changed.
 * - `status`, `{status, reason, pauseMs}`: `connecting`, `live`, `reconnecting` or `ended`.
 * - `checked`, `{isRight, cursor}`, after each comparison of the copy with the hash of a heartbeat. A wrong copy is loaded again.
 */
export class Board {
  #emitter = new Emitter();
  #commands = new Commands();
  #connection;
  #base;
  #boardId;
  #hasSocket;
  #state = null;
  #cursor = null;
  /** The cursor that all envelopes of an opening have, while more of them may come. It is no position: not all have come. */
  #openingCursor = null;
  #isChecking = false;

  constructor(boardId, options = {}) {
    const settings = settingsOf(options);
    this.#base = settings.url;
    this.#boardId = boardId;
    this.#hasSocket = settings.exit === 'websocket';
    this.#connection = new Connection({ ...settings, areHeartbeatsSent: true }, {
      address: (exit) => this.#address(exit),
      begin: (stream) => this.#begin(stream),
      lose: () => this.#commands.lose(),
      take: (envelope) => this.#take(envelope),
      status: (value) => this.#saw(value),
      forget: () => this.#forget(),
    });
  }

  /** The newest state, null before the first one. */
  get state() {
    return this.#state;
  }

  /** Call `listener` for each event of that type. Return a function that ends this. */
  on(type, listener) {
    return this.#emitter.on(type, listener);
  }

  /**
   * Send a command of docs/protocol.md. Resolve when it is done; reject with `CommandRefused`. It is sent again after a lost
   * connection, with the same `key`, and happens once.
   */
  send(type, payload, { key } = {}) {
    if (!this.#hasSocket) return Promise.reject(new CommandRefused('no_websocket', 'server-sent events carry no commands'));
    return this.#commands.send(type, payload, key);
  }

  /** End everything. Afterwards no event comes; commands without an answer are rejected with the code `closed`. */
  close() {
    this.#emitter.clear();
    this.#connection.end('closed');
  }

  #address(exit) {
    const after = this.#cursor === null ? {} : { after: this.#cursor };
    return addressOf(this.#base, exit, { boardId: this.#boardId, delivery: 'changes', ...after });
  }

  #begin(stream) {
    this.#openingCursor = null;
    if (stream.send) this.#commands.begin(stream);
    if (this.#cursor !== null) this.#connection.live();
  }

  #saw(value) {
    if (value.status === 'ended') this.#commands.end(value.reason);
    this.#emitter.emit('status', value);
  }

  #take(envelope) {
    const { type, payload, cursor } = envelope;
    if (type === 'error' || type === 'pong') this.#commands.take(envelope);
    if (isChange(type) && !this.#fold(envelope)) return;
    const isOpening = type === 'attempt_status' && cursor !== null && cursor === this.#openingCursor;
    this.#move(envelope);
    if (isChange(type)) this.#emitter.emit('state', this.#state);
    this.#emitter.emit('event', { type, payload, cursor, isOpening });
    if (type === 'state') this.#connection.live();
    if (type === 'heartbeat' && payload.hash !== undefined) this.#check(payload);
  }

  /** Return whether the change fits the copy. Else the board is loaded again. */
  #fold(envelope) {
    try {
      this.#state = changed(this.#state, envelope);
      return true;
    } catch {
      this.#loadAgain();
      return false;
    }
  }

  #move({ type, payload, cursor }) {
    if (type === 'state') {
      this.#openingCursor = cursor;
    } else if (type === 'heartbeat' || type === 'goodbye') {
      // Both say where the client stands: everything before them has come.
      if (payload.cursor === undefined || this.#state === null) return;
      this.#cursor = payload.cursor;
      this.#openingCursor = null;
    } else if (cursor !== null && cursor !== this.#openingCursor) {
      this.#cursor = cursor;
      this.#openingCursor = null;
    }
  }

  #forget() {
    const hadCursor = this.#cursor !== null;
    this.#cursor = null;
    return hadCursor;
  }

  #loadAgain() {
    this.#forget();
    this.#connection.restart('wrong_copy');
  }

  async #check({ hash, cursor }) {
    if (this.#isChecking) return; // the next heartbeat has a hash too
    this.#isChecking = true;
    const { turn } = this.#connection;
    const own = await hashOf(this.#state).catch(() => '');
    this.#isChecking = false;
    if (own === null || turn !== this.#connection.turn) return;
    this.#emitter.emit('checked', { isRight: own === hash, cursor });
    if (own !== hash) this.#loadAgain();
  }
}

/** Follows the dashboard. Its events are `overview`, `event` and `status`, as those of `Board`. */
export class Dashboard {
  #emitter = new Emitter();
  #connection;
  #cursor = null;
  #overview = null;

  constructor(options = {}) {
    const settings = settingsOf(options);
    // The dashboard's WebSocket has no heartbeats, so only SSE shows that it is quiet.
    this.#connection = new Connection({ ...settings, areHeartbeatsSent: settings.exit === 'sse' }, {
      address: (exit) => addressOf(settings.url, exit, exit === 'ws' || this.#cursor === null ? {} : { after: this.#cursor }, '/dashboard'),
      begin: () => {},
      lose: () => {},
      take: (envelope) => this.#take(envelope),
      status: (value) => this.#emitter.emit('status', value),
      forget: () => this.#forget(),
    });
  }

  /** The newest overview, null before the first one. */
  get overview() {
    return this.#overview;
  }

  on(type, listener) {
    return this.#emitter.on(type, listener);
  }

  close() {
    this.#emitter.clear();
    this.#connection.end('closed');
  }

  #forget() {
    const hadCursor = this.#cursor !== null;
    this.#cursor = null;
    return hadCursor;
  }

  #take({ type, payload, cursor }) {
    this.#cursor = cursor ?? this.#cursor;
    if (type === 'dashboard_overview') {
      this.#overview = payload;
      this.#emitter.emit('overview', payload);
      this.#connection.live();
    }
    this.#emitter.emit('event', { type, payload, cursor, isOpening: false });
  }
}

function settingsOf({ url, exit, WebSocket = globalThis.WebSocket, token = null, maxPauseMs = DEFAULT_MAX_PAUSE_MS }) {
  const chosen = exit ?? (WebSocket === undefined ? 'sse' : 'websocket');
  if (chosen !== 'sse' && chosen !== 'websocket') throw new TypeError(`exit: expected 'websocket' or 'sse', got ${chosen}`);
  if (chosen === 'websocket' && WebSocket === undefined) throw new TypeError('WebSocket: expected a class, this runtime has none');
  return {
    url: new URL(url ?? globalThis.location.origin).href.replace(/\/$/, ''),
    exit: chosen,
    WebSocket,
    token: async () => (typeof token === 'function' ? token() : token),
    maxPauseMs,
  };
}

function addressOf(base, exit, parameters, ofSocket = '') {
  const query = new URLSearchParams(parameters).toString();
  const path = exit === 'ws' ? `/api/v1/ws${ofSocket}` : '/api/v1/sse';
  return `${base}${path}${query === '' ? '' : `?${query}`}`;
}
