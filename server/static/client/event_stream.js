/** One connection by server-sent events, over `fetch`: it can carry an `Authorization` header, which `EventSource` cannot. */

/** Characters of the longest event; a longer one ends the connection. The server's boards have at most 10 MiB by default. */
const MAX_EVENT = 128 * 1024 * 1024;

/**
 * Open a connection and return `{close}`. `onSign()` is called for all that comes, `onEnvelope({type, payload, cursor})` for each
 * event, and `onEnd({status, isOurs, retryAfterMs})` once, unless it was closed; `status` is 0 without an answer.
 */
export function openEventStream(url, token, { onSign, onEnvelope, onEnd }) {
  const aborter = new AbortController();
  const read = async () => {
    const response = await fetch(url, { headers: headersOf(token), signal: aborter.signal, cache: 'no-store' });
    const type = response.headers.get('content-type') ?? '';
    if (!response.ok || !type.startsWith('text/event-stream')) {
      response.body?.cancel().catch(() => {});
      return describe(response);
    }
    const events = new EventReader(onEnvelope);
    const decoder = new TextDecoder();
    const reader = response.body.getReader();
    for (let { done, value } = await reader.read(); !done; { done, value } = await reader.read()) {
      onSign();
      events.take(decoder.decode(value, { stream: true }));
    }
    return { status: 0 };
  };
  read().catch(() => ({ status: 0 })).then((end) => {
    if (aborter.signal.aborted) return;
    aborter.abort(); // after an event that is no event, the answer is still open
    onEnd(end);
  });
  return { close: () => aborter.abort() };
}

/** Ask what the server would answer; for a WebSocket that failed, whose answer a browser does not show. */
export async function askForStatus(url, token, signal) {
  try {
    return describe(await fetch(url, { method: 'HEAD', headers: headersOf(token), signal, cache: 'no-store' }));
  } catch {
    return { status: 0 };
  }
}

const headersOf = (token) => ({
  accept: 'text/event-stream',
  ...(token === null ? {} : { authorization: `Bearer ${token}` }),
});

/** A refusal of Boardcast is a problem document. Other refusals are those of a proxy, which may say 404 while a server restarts. */
function describe(response) {
  const isOurs = (response.headers.get('content-type') ?? '').startsWith('application/problem+json');
  return { status: response.status, isOurs, retryAfterMs: milliseconds(response.headers.get('retry-after')) };
}

/** `Retry-After` is a number of seconds or a date. */
function milliseconds(retryAfter) {
  if (retryAfter === null) return 0;
  const ms = /^\d+$/.test(retryAfter) ? Number(retryAfter) * 1000 : Date.parse(retryAfter) - Date.now();
  return Number.isFinite(ms) && ms > 0 ? ms : 0;
}

class EventReader {
  #onEnvelope;
  #line = '';
  #event = {};
  #length = 0;

  constructor(onEnvelope) {
    this.#onEnvelope = onEnvelope;
  }

  /** Read the next part of the text. It throws if an event is too long or its data is no JSON. */
  take(text) {
    let from = 0;
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', from)) {
      this.#takeLine((this.#line + text.slice(from, end)).replace(/\r$/, ''));
      this.#line = '';
      from = end + 1;
    }
    this.#line += text.slice(from);
    if (this.#length + this.#line.length > MAX_EVENT) throw new Error('an event is too long');
  }

  #takeLine(line) {
    if (line === '') {
      this.#finish();
      return;
    }
    const [, field, value] = /^([^:]*):? ?(.*)$/s.exec(line);
    if (field === 'data') this.#event.data = this.#event.data === undefined ? value : `${this.#event.data}\n${value}`;
    if (field === 'event' || field === 'id') this.#event[field] = value;
    this.#length += line.length;
  }

  #finish() {
    const { event: type, data, id } = this.#event;
    this.#event = {};
    this.#length = 0;
    if (type !== undefined && data !== undefined) this.#onEnvelope({ type, payload: JSON.parse(data), cursor: id ?? null });
  }
}
