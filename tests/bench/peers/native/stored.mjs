// The peer of the cases with single writes: fastify, better-sqlite3 and ws, each as in its documentation. It takes the
// same requests as Boardcast, and stores the same rows under the same indexes, with the same durability. Each request has
// a transaction of its own. Usage: node stored.mjs FILE
import Database from "better-sqlite3";
import Fastify from "fastify";
import { WebSocket, WebSocketServer } from "ws";

const TEXT = { binary: false };
const database = new Database(process.argv[2]);
database.pragma("journal_mode = WAL");
database.pragma("synchronous = NORMAL");
database.exec(`
  CREATE TABLE events (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, channel TEXT, "offset" INTEGER, global_offset INTEGER, name TEXT,
    payload TEXT, changes TEXT, at INTEGER, recorded_at INTEGER, superseded INTEGER
  );
  CREATE UNIQUE INDEX place ON events (channel, "offset");
  CREATE TABLE logs (
    board_id TEXT, attempt_id TEXT, "offset" INTEGER, ts INTEGER, level TEXT, message TEXT,
    PRIMARY KEY (board_id, attempt_id, "offset")
  );
  CREATE TABLE cards (
    board_id TEXT, id TEXT, column_id TEXT, title TEXT, description TEXT, updated_at INTEGER, PRIMARY KEY (board_id, id)
  );
  CREATE TABLE channels (channel TEXT PRIMARY KEY, "offset" INTEGER);
`);

const addChannel = database.prepare("INSERT INTO channels VALUES (?, 0) ON CONFLICT DO NOTHING");
const nextOffset = database
  .prepare('UPDATE channels SET "offset" = "offset" + 1 WHERE channel = ? RETURNING "offset"')
  .pluck();
const addEvent = database.prepare(
  'INSERT INTO events (channel, "offset", global_offset, name, payload, changes, at, recorded_at, superseded)' +
    " VALUES (?, ?, 0, ?, ?, ?, ?, ?, 0)",
);
const addLog = database.prepare("INSERT INTO logs VALUES (?, ?, ?, ?, ?, ?)");
const addCard = database.prepare("INSERT INTO cards VALUES (?, ?, ?, ?, ?, ?)");
const setTitle = database
  .prepare("UPDATE cards SET title = ?, updated_at = ? WHERE board_id = ? AND id = ? RETURNING *");

const sockets = new Map();

function store(channel, name, payload, changes, now) {
  const offset = nextOffset.get(channel);
  addEvent.run(channel, offset, name, JSON.stringify(payload), changes, now, now);
  return offset;
}

function tell(board, type, payload, cursor) {
  const watching = sockets.get(board);
  if (!watching) return;
  const frame = Buffer.from(JSON.stringify({ type, payload, cursor }));
  for (const socket of watching) if (socket.readyState === WebSocket.OPEN) socket.send(frame, TEXT);
}

function take({ name, payload }) {
  const now = Date.now();
  const board = payload.boardId ?? payload.projectId;
  if (name === "project.created") addChannel.run(board);
  const offset = store(board, name, payload, null, now);
  if (name === "attempt.log.appended") {
    addLog.run(board, payload.attemptId, offset, Date.parse(payload.ts), payload.level, payload.message);
  } else if (name === "board.state.changed") {
    for (const column of Object.values(payload.state.columns)) {
      for (const id of column.cardIds) {
        const { title, description } = payload.state.cards[id];
        addCard.run(board, id, column.id, title, description, now);
      }
    }
  }
  return { board, name, payload, cursor: `00000000-00000000-${offset}-0` };
}

const takeAll = database.transaction((events) => events.map(take));

const rename = database.transaction((board, id, title) => {
  const now = Date.now();
  const card = setTitle.get(title, now, board, id);
  const change = JSON.stringify([{ kind: "card_updated", cardId: id, title }]);
  return { card, offset: store(board, "card.updated", { boardId: board, cardId: id, title }, change, now) };
});

const EVENT = {
  type: "object",
  required: ["name", "payload"],
  properties: { name: { type: "string" }, payload: { type: "object" }, at: { type: "string" } },
};
const TITLE = { type: "object", required: ["title"], properties: { title: { type: "string", maxLength: 200 } } };

const app = Fastify({ bodyLimit: 4 * 1024 * 1024 });

app.post("/api/v1/events", { schema: { body: { anyOf: [EVENT, { type: "array", items: EVENT }] } } }, async (request, reply) => {
  const taken = takeAll(Array.isArray(request.body) ? request.body : [request.body]);
  for (const { board, name, payload, cursor } of taken) {
    if (name === "attempt.log.appended") tell(board, "attempt_log", payload, cursor);
  }
  reply.code(202);
  return { accepted: taken.map(({ name, cursor }) => ({ name, cursor, duplicate: false })) };
});

app.patch("/api/v1/boards/:board/cards/:card", { schema: { body: TITLE } }, async (request) => {
  const { board, card } = request.params;
  const renamed = rename(board, card, request.body.title);
  tell(board, "card_updated", renamed.card, `00000000-00000000-${renamed.offset}-0`);
  return renamed.card;
});

const upgrades = new WebSocketServer({ noServer: true, perMessageDeflate: false });
app.server.on("upgrade", (request, connection, head) => {
  upgrades.handleUpgrade(request, connection, head, (socket) => {
    const board = new URL(request.url, "http://peer").searchParams.get("boardId");
    if (!sockets.has(board)) sockets.set(board, new Set());
    socket.send('{"type":"hello","payload":{}}');
    socket.send('{"type":"state","payload":{}}');
    sockets.get(board).add(socket);
    socket.on("close", () => sockets.get(board).delete(socket));
  });
});

await app.listen({ port: 0, host: "127.0.0.1", backlog: 2048 });
console.log(`Listening on http://127.0.0.1:${app.server.address().port}`);
