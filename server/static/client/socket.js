/** One connection by WebSocket. */

/** Characters that a subprotocol may have (RFC 9110, token). */
const SUBPROTOCOL = /^[\w!#$%&'*+.^`|~-]+$/;

/**
 * Open a connection and return `{close, send}`. `send(message)` sends an object as JSON. The callbacks are those of
 * `openEventStream`; the end is `{code, isOpened}`.
 *
 * A browser gives a WebSocket no headers. The token is a subprotocol, or is in the address if it has other characters.
 */
export function openSocket(WebSocket, url, token, { onSign, onEnvelope, onEnd }) {
  const address = new URL(url);
  address.protocol = address.protocol === 'https:' ? 'wss:' : 'ws:';
  const isSubprotocol = token !== null && SUBPROTOCOL.test(token);
  if (token !== null && !isSubprotocol) address.searchParams.set('access_token', token);
  const socket = new WebSocket(address.href, isSubprotocol ? ['boardcast', `bearer.${token}`] : []);
  let isOpened = false;
  const end = (code) => {
    close();
    onEnd({ code, isOpened });
  };
  const close = () => {
    socket.onopen = socket.onmessage = socket.onclose = null; // `onerror` stays: npm ws throws errors that nobody listens to
    socket.close();
  };
  socket.onerror = () => {};
  socket.onopen = () => {
    isOpened = true;
    onSign();
  };
  socket.onclose = ({ code }) => end(code);
  socket.onmessage = ({ data }) => {
    onSign();
    let envelope;
    try {
      envelope = readEnvelope(data);
    } catch {
      end(1006); // as if the connection were broken: this is no text of the server
      return;
    }
    onEnvelope(envelope);
  };
  const send = (message) => {
    if (socket.readyState === 1) socket.send(JSON.stringify(message));
  };
  return { close, send };
}

function readEnvelope(text) {
  const { type, payload, cursor } = JSON.parse(text);
  if (typeof type !== 'string') throw new Error('an envelope has a type');
  // One type has another name here than on SSE, and no payload.
  return { type: type === 'git:status' ? 'git_status' : type, payload: payload ?? {}, cursor: cursor ?? null };
}
