/** Plain npm ws sockets that behave like the legacy user interface: JSON text frames `{type, payload}`. */
import WebSocket from 'ws';
import { obey, settings, report } from './lines.mjs';

const sockets = {};

function open({ socket }) {
  const opened = new WebSocket(settings.socketUrl);
  opened.on('open', () => report('open', { socket }));
  opened.on('message', (data, isBinary) => report('frame', { socket, isBinary, frame: JSON.parse(data.toString()) }));
  opened.on('close', (code, reason) => report('close', { socket, code, reason: reason.toString() }));
  sockets[socket] = opened;
}

await obey({
  open,
  send: ({ socket, message }) => sockets[socket].send(JSON.stringify(message)),
  close: ({ socket }) => sockets[socket].close(),
});
for (const socket of Object.values(sockets)) socket.terminate();
