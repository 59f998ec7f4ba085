/** Plain npm ws sockets that speak as the legacy user interface does: JSON text frames `{type, payload}`. */
import WebSocket from 'ws';
import { obey, settings, tell } from './lines.mjs';

const sockets = {};

function open({ socket }) {
  const opened = new WebSocket(settings.socketUrl);
  opened.on('open', () => tell('open', { socket }));
  opened.on('message', (data, isBinary) => tell('frame', { socket, isBinary, frame: JSON.parse(data.toString()) }));
  opened.on('close', (code, reason) => tell('close', { socket, code, reason: reason.toString() }));
  sockets[socket] = opened;
}

await obey({
  open,
  send: ({ socket, message }) => sockets[socket].send(JSON.stringify(message)),
  close: ({ socket }) => sockets[socket].close(),
});
for (const socket of Object.values(sockets)) socket.terminate();
