// The common part of the GraphQL peers: one board in memory, its schema, and the two calls of the benchmark.
import { EventEmitter, on } from "node:events";
import { GraphQLError } from "graphql";

export const typeDefs = /* GraphQL */ `
  scalar DateTime
  type Card {
    id: ID!
    ticketKey: String
    title: String!
    description: String
    ticketType: String
    isEnhanced: Boolean!
    createdAt: DateTime!
    updatedAt: DateTime!
  }
  type Column {
    id: ID!
    title: String!
    cardIds: [ID!]!
  }
  type BoardState {
    cursor: String!
    columnOrder: [ID!]!
    columns: [Column!]!
    cards: [Card!]!
  }
  type Query {
    board(id: ID!): BoardState
  }
  type Subscription {
    boardState(boardId: ID!): BoardState!
  }
`;

const boards = new Map();
const changes = new EventEmitter().setMaxListeners(0);

function snapshot(board) {
  const { columns, columnOrder, cards } = board.state;
  return {
    cursor: `00000000-00000000-${board.offset}-0`, // as long as one of Boardcast's
    columnOrder,
    columns: columnOrder.map((id) => columns[id]),
    cards: Object.values(cards),
  };
}

export async function* boardState(id) {
  const board = boards.get(id);
  if (!board) throw new GraphQLError("Board not found");
  const changed = on(changes, id); // before the snapshot, so that no change is missed
  try {
    yield snapshot(board);
    for await (const [state] of changed) yield state;
  } finally {
    await changed.return();
  }
}

export function take({ name, payload: { projectId, boardId, state } }) {
  if (name === "project.created") boards.set(projectId, { offset: 0, state: { columns: {}, columnOrder: [], cards: {} } });
  else if (name === "board.state.changed") {
    const cards = Object.fromEntries(Object.entries(state.cards).map(([id, card]) => [id, { isEnhanced: false, ...card }]));
    boards.get(boardId).state = { ...state, cards };
  }
}

export function rename(boardId, cardId, title) {
  const board = boards.get(boardId);
  const card = { ...board.state.cards[cardId], title, updatedAt: new Date().toISOString() };
  board.state = { ...board.state, cards: { ...board.state.cards, [cardId]: card } };
  board.offset += 1;
  // One object for all subscribers, as a careful user of these libraries would publish it.
  changes.emit(boardId, snapshot(board));
}

// Answers the calls that are not GraphQL: POST /api/v1/events and PATCH /api/v1/boards/:board/cards/:card.
export async function call(request, response) {
  const parts = [];
  for await (const part of request) parts.push(part);
  const body = JSON.parse(Buffer.concat(parts).toString());
  const [, , , kind, boardId, , cardId] = request.url.split("/");
  if (kind === "events") for (const event of body) take(event);
  else rename(boardId, cardId, body.title);
  response.writeHead(200, { "Content-Type": "application/json" }).end("{}");
}

export function announce(server) {
  server.listen({ port: 0, host: "127.0.0.1", backlog: 2048 }, () => {
    console.log(`Listening on http://127.0.0.1:${server.address().port}`);
  });
}
