/** Our own client module in Node.js, from the files that the server sends to browsers. It reports all of its events. */
import { readFileSync } from 'node:fs';
import WebSocket from 'ws';
import { Board, Dashboard } from '../../server/static/boardcast.js';
import { obey, report, settings } from './lines.mjs';
import { token } from './tokens.mjs';

/** Each call gives the next of these tokens; the last one stays. */
const [...tokens] = settings.tokens ?? [];
const nextToken = () => (tokens.length > 1 ? tokens.shift() : tokens[0]);

const options = {
  url: settings.url,
  maxPauseMs: settings.maxPauseMs,
  ...(settings.exit === 'websocket' ? { WebSocket } : {}),
  ...(settings.tokens ? { token: nextToken } : {}),
  ...(settings.tokenFile ? { token } : {}),
};

const client = settings.boardId === undefined ? new Dashboard(options) : new Board(settings.boardId, options);
client.on('status', (value) => report('status', value));
client.on('checked', (value) => report('checked', value));
client.on('event', ({ type, payload, cursor, isOpening }) => {
  const { reason, card, attemptId, status } = payload;
  report('event', { type, cursor, isOpening, reason, title: card?.title, attemptId, status });
});
client.on('overview', ({ metrics }) => report('overview', { active: metrics.activeAttempts }));

await obey({
  show: () => report('copy', { state: client.state }),
  send: ({ type, payload, key, name }) => {
    client.send(type, payload, { key }).then(
      () => report('done', { name }),
      ({ code }) => report('refused', { name, code }),
    );
  },
  close: () => {
    client.close();
    report('closed');
  },
});
client.close();
