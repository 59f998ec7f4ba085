// Mercurius on Fastify, with its own subscriptions.
import Fastify from "fastify";
import mercurius from "mercurius";
import { boardState, rename, take, typeDefs } from "./board.mjs";

const app = Fastify();
app.register(mercurius, {
  schema: typeDefs,
  resolvers: {
    Query: { board: () => null },
    Subscription: {
      boardState: {
        subscribe: (_, { boardId }) => named(boardState(boardId)),
        resolve: ({ boardState: state }) => state,
      },
    },
  },
  subscription: true,
});

// Mercurius needs the field's name around each event.
async function* named(states) {
  for await (const state of states) yield { boardState: state };
}

app.post("/api/v1/events", async (request) => {
  for (const event of request.body) take(event);
  return {};
});
app.patch("/api/v1/boards/:board/cards/:card", async (request) => {
  rename(request.params.board, request.params.card, request.body.title);
  return {};
});

const address = await app.listen({ port: 0, host: "127.0.0.1", backlog: 2048 });
console.log(`Listening on ${address}`);
