// The peer of the fan-out cases: Node's `ws` and a plain Node SSE endpoint, each as in its documentation.
// It accepts the same POST as Boardcast and sends the same bytes, but it stores nothing.
import { createServer } from "node:http";
import { WebSocket, WebSocketServer } from "ws";

const TEXT = { binary: false };
const boards = new Map();
const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });

function boardOf(id) {
  if (!boards.has(id)) boards.set(id, { offset: 0, sockets: new Set(), streams: new Set() });
  return boards.get(id);
}

function boardIdOf(request) {
  return new URL(request.url, "http://peer").searchParams.get("boardId");
}

function publish({ name, payload: { boardId, projectId, ...rest } }) {
  const board = boardOf(boardId ?? projectId);
  board.offset += 1;
  if (name !== "attempt.log.appended") return;
  const payload = JSON.stringify(rest);
  const cursor = `00000000-00000000-${board.offset}-0`; // as long as one of Boardcast's
  // Encoded once: a string would be encoded again for each socket.
  const frame = Buffer.from(`{"type":"attempt_log","payload":${payload},"cursor":"${cursor}"}`);
  for (const socket of board.sockets) if (socket.readyState === WebSocket.OPEN) socket.send(frame, TEXT);
  const block = `event: attempt_log\ndata: ${payload}\nid: ${cursor}\n\n`;
  for (const stream of board.streams) stream.write(block);
}

function openStream(request, response) {
  const { streams } = boardOf(boardIdOf(request));
  response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-cache" });
  response.write("event: hello\ndata: {}\n\n");
  response.write("event: state\ndata: {}\n\n");
  streams.add(response);
  response.on("close", () => streams.delete(response));
}

async function takeEvents(request, response) {
  const parts = [];
  for await (const part of request) parts.push(part);
  for (const event of JSON.parse(Buffer.concat(parts).toString())) publish(event);
  response.writeHead(202, { "Content-Type": "application/json" }).end("{}");
}

const server = createServer((request, response) => {
  if (request.method === "POST") takeEvents(request, response);
  else openStream(request, response);
});

server.on("upgrade", (request, connection, head) => {
  sockets.handleUpgrade(request, connection, head, (socket) => {
    const board = boardOf(boardIdOf(request));
    socket.send('{"type":"hello","payload":{}}');
    socket.send('{"type":"state","payload":{}}');
    board.sockets.add(socket);
    socket.on("close", () => board.sockets.delete(socket));
  });
});

server.listen({ port: 0, host: "127.0.0.1", backlog: 2048 }, () => {
  console.log(`Listening on http://127.0.0.1:${server.address().port}`);
});
