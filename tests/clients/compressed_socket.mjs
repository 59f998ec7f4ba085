/** npm ws with its defaults: it offers permessage-deflate, and compresses what it sends from 1 KiB on. */
import WebSocket from 'ws';
import { obey, settings, report } from './lines.mjs';

const socket = new WebSocket(settings.socketUrl);
socket.on('message', (data) => {
  const { bytesRead, bytesWritten } = socket._socket;
  report('frame', { extensions: socket.extensions, bytesRead, bytesWritten, message: JSON.parse(data.toString()) });
});
socket.on('error', (error) => report('failed', { error: String(error) }));

await obey({ send: ({ message }) => socket.send(JSON.stringify(message)) });
socket.terminate();
