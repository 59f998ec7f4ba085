/**
 * The commands of a WebSocket and their answers. The server carries out the messages of a socket one after the other, and only
 * answers refusals. So a `ping` follows each command: its `pong` says that the command is done, unless an `error` came before.
 */

/** Commands that may wait for their answers. */
const MAX_WAITING = 1000;

/** A command that was not carried out, or whose outcome is not known; `code` is that of docs/protocol.md, or one of ours. */
export class CommandRefused extends Error {
  constructor(code, message) {
    super(message);
    this.name = 'CommandRefused';
    this.code = code;
  }
}

export class Commands {
  /** In the order of `send`; the first `#sent` of them are on their way. */
  #waiting = [];
  #sent = 0;
  #socket = null;
  #end = null;

  /** Send a command, now or when there is a connection; resolve when it is done, reject with `CommandRefused`. */
  send(type, payload, key = newKey()) {
    if (this.#end !== null) return Promise.reject(new CommandRefused(this.#end, 'the stream has ended'));
    if (this.#waiting.length >= MAX_WAITING) {
      return Promise.reject(new CommandRefused('too_many_commands', `expected at most ${MAX_WAITING} waiting commands`));
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ message: { type, payload, key }, refusal: null, resolve, reject });
      this.#flush();
    });
  }

  /** A connection is there. What had no answer on the last one is sent again, with the same keys. */
  begin(socket) {
    this.#socket = socket;
    this.#flush();
  }

  lose() {
    this.#socket = null;
    this.#sent = 0;
    for (const command of this.#waiting) command.refusal = null;
  }

  /** Take an `error` or a `pong`. */
  take({ type, payload }) {
    if (this.#sent === 0 || payload.command === 'authenticate') return;
    if (type === 'error') {
      this.#waiting[0].refusal = payload;
      return;
    }
    const { refusal, resolve, reject } = this.#waiting.shift();
    this.#sent -= 1;
    if (refusal === null) resolve();
    else reject(new CommandRefused(refusal.code, refusal.message));
  }

  /** Refuse all that waits and all that comes; nobody knows the outcome of what was sent. */
  end(code) {
    this.lose();
    this.#end ??= code;
    for (const { reject } of this.#waiting.splice(0)) reject(new CommandRefused(code, 'the stream ended before the answer'));
  }

  #flush() {
    while (this.#socket !== null && this.#sent < this.#waiting.length) {
      const { message } = this.#waiting[this.#sent];
      this.#sent += 1;
      this.#socket.send(message);
      this.#socket.send({ type: 'ping' });
    }
  }
}

/** `crypto.randomUUID` is missing on a page that came over http from another host. */
function newKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
