// The peer of the cases with single writes: fastify and ws, each as in its documentation, with the database of
// database.mjs. It takes the same requests as Boardcast. Usage: node stored.mjs FILE
import Fastify from "fastify";
import { WebSocket, WebSocketServer } from "ws";
import { rename, takeAll } from "./database.mjs";

const TEXT = { binary: false };
const sockets = new Map();

function tell(board, type, payload, cursor) {
  const watching = sockets.get(board);
  if (!watching) return;
  const frame = Buffer.from(JSON.stringify({ type, payload, cursor }));
  for (const socket of watching) if (socket.readyState === WebSocket.OPEN) socket.send(frame, TEXT);
}

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
