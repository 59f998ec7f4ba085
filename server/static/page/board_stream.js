/**
 * The live events of one board, by EventSource. Reconnecting is EventSource's own; what is added here is
 * a state that can be shown, and a new start when the stream has gone quiet for longer than its heartbeat allows.
 */

export const EVENT_TYPES = [
  'hello', 'state', 'attempt_started', 'attempt_status', 'attempt_log', 'conversation_item', 'attempt_session',
  'attempt_todos', 'git_status', 'git_commit', 'git_push', 'attempt_pr', 'agent_profile', 'agent_registered',
  'heartbeat', 'access', 'gap', 'goodbye',
];

const DEFAULT_HEARTBEAT_SECONDS = 30;
const HEARTBEATS_TO_MISS = 2.5;

/**
 * `onEvent(type, payload, isSnapshot)` gets every event; `isSnapshot` is true for an `attempt_status` that only
 * repeats how an attempt stood at the moment of connecting. `onState` gets `connecting`, `live`, `reconnecting`, `closed`.
 */
export class BoardStream {
  constructor(boardId, { onEvent, onState }) {
    this.boardId = boardId;
    this.onEvent = onEvent;
    this.onState = onState;
    this.heartbeatSeconds = DEFAULT_HEARTBEAT_SECONDS;
    this.startCursor = null;
    this.quietTimer = 0;
    this.source = null;
  }

  open() {
    this.close();
    this.onState('connecting');
    const source = new EventSource(`/api/v1/sse?boardId=${encodeURIComponent(this.boardId)}`);
    for (const type of EVENT_TYPES) source.addEventListener(type, (event) => this.#receive(type, event));
    source.onopen = () => this.onState('live');
    source.onerror = () => this.#failed(source);
    this.source = source;
    this.#expectSomething();
  }

  close() {
    clearTimeout(this.quietTimer);
    this.source?.close();
    this.source = null;
  }

  #receive(type, event) {
    const payload = JSON.parse(event.data);
    this.#expectSomething();
    if (type === 'hello') {
      this.heartbeatSeconds = payload.heartbeatSeconds ?? this.heartbeatSeconds;
      this.startCursor = payload.cursor ?? null;
    }
    this.onEvent(type, payload, this.#isSnapshot(type, event));
  }

  /** The statuses after connecting carry the cursor of `hello`; other events are never part of a snapshot. */
  #isSnapshot(type, event) {
    return type === 'attempt_status' && this.startCursor !== null && event.lastEventId === this.startCursor;
  }

  #failed(source) {
    clearTimeout(this.quietTimer);
    // CLOSED means that EventSource has given up: an answer that was no stream, such as 404 or 503.
    this.onState(source.readyState === EventSource.CLOSED ? 'closed' : 'reconnecting');
  }

  #expectSomething() {
    clearTimeout(this.quietTimer);
    const quietMs = this.heartbeatSeconds * HEARTBEATS_TO_MISS * 1000;
    this.quietTimer = setTimeout(() => this.open(), quietMs);
  }
}
