/**
 * GraphiQL's subscriptions, over the transport that the reader chose. GraphiQL runs one at a time and ends it when
 * the reader changes tabs, so each has a client of its own and the headers of the moment in which it was started.
 */
import { EVENTS_KEPT } from './events.js';
import { createStreamClient } from './eventstream.js';
import { createSocketClient } from './socket.js';

/** What can be chosen, the first by default: a name for the reader and what makes a client. */
export const TRANSPORTS = {
  WS: { title: 'WebSocket (graphql-ws)', createClient: createSocketClient },
  SSE: { title: 'Event stream (graphql-sse)', createClient: createStreamClient },
};

const STORAGE_KEY = 'subscriptionTransport';

export class Subscriptions {
  #endpoint;
  #storage;
  #listeners = new Set();
  /** What came since `received` was last made, which happens once a frame. */
  #waiting = [];

  constructor(endpoint, storage) {
    this.#endpoint = endpoint;
    this.#storage = storage;
    const remembered = storage.getItem(STORAGE_KEY);
    const chosen = Object.hasOwn(TRANSPORTS, remembered ?? '') ? remembered : 'WS';
    /** `chosen`: for the next subscription; `used`: by the latest one; `state`: idle, connecting, connected, lost or failed. */
    this.snapshot = { chosen, used: null, state: 'idle' };
    /** `events`: the newest of the latest subscription, oldest first; `count`: how many came. */
    this.received = { events: [], count: 0 };
  }

  /** Call `listener` after each change of `snapshot` or `received`; returns what ends that. */
  listen = (listener) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Use this transport from the next subscription on, also after the page is opened anew. */
  choose(chosen) {
    this.#storage.setItem(STORAGE_KEY, chosen);
    this.#change({ chosen });
  }

  /**
   * Return the results of a subscription as an observable, which GraphiQL takes from a fetcher. The toolkit's own
   * way to a client of graphql-ws leaves each error of a subscription behind as an unhandled rejection.
   */
  start(request, headers) {
    return { subscribe: (observer) => ({ unsubscribe: this.#run(request, headers, observer) }) };
  }

  /** Take all events away. */
  forget() {
    this.#waiting = [];
    this.received = { events: [], count: 0 };
    this.#tell();
  }

  #run(request, headers, observer) {
    this.forget();
    const used = this.snapshot.chosen;
    let running = true;
    const onState = (state) => {
      if (running) this.#change({ used, state });
    };
    /** Returns whether to notify the observer. A client that waits to reconnect ends long after its end was requested. */
    const end = (state) => {
      onState(state);
      const wasRunning = running;
      running = false;
      return wasRunning;
    };
    const client = TRANSPORTS[used].createClient(this.#endpoint, { headers, onState });
    const stop = client.subscribe(request, {
      next: (result) => {
        if (running) this.#keep(result);
        observer.next(result);
      },
      error: (error) => {
        if (end('failed')) observer.error(error instanceof CloseEvent ? new Error(closeText(error)) : error);
      },
      complete: () => {
        if (end('idle')) observer.complete();
      },
    });
    return () => {
      end('idle');
      stop();
    };
  }

  #keep(result) {
    this.#waiting.push({ number: this.received.count + this.#waiting.length + 1, at: new Date(), result });
    if (this.#waiting.length === 1) requestAnimationFrame(() => this.#receive());
    if (this.#waiting.length >= EVENTS_KEPT) this.#receive(); // a hidden page has no frames
  }

  #receive() {
    if (this.#waiting.length === 0) return;
    const { events, count } = this.received;
    this.received = { events: [...events, ...this.#waiting].slice(-EVENTS_KEPT), count: count + this.#waiting.length };
    this.#waiting = [];
    this.#tell();
  }

  #change(changes) {
    this.snapshot = { ...this.snapshot, ...changes };
    this.#tell();
  }

  #tell() {
    for (const listener of this.#listeners) listener();
  }
}

const closeText = ({ code, reason }) => `The server closed the socket with ${code}: ${reason || 'no reason given'}`;
