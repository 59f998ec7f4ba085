// The peer of the mutations: GraphQL Yoga as in its documentation, with the database of database.mjs. It takes the events
// that make its boards, too. Usage: node yoga_stored.mjs FILE
import { createServer } from "node:http";
import { createSchema, createYoga } from "graphql-yoga";
import { announce } from "../board.mjs";
import { rename, takeAll } from "./database.mjs";

const typeDefs = /* GraphQL */ `
  scalar DateTime
  type Card {
    id: ID!
    title: String!
    updatedAt: DateTime!
  }
  type UpdateCardPayload {
    cursor: String!
    card: Card!
  }
  type CardNotFound {
    message: String!
  }
  union UpdateCardResult = UpdateCardPayload | CardNotFound
  input UpdateCardInput {
    cardId: ID!
    title: String
  }
  type Query {
    version: String!
  }
  type Mutation {
    updateCard(boardId: ID!, input: UpdateCardInput!): UpdateCardResult!
  }
`;

const resolvers = {
  UpdateCardResult: { __resolveType: (result) => (result.card ? "UpdateCardPayload" : "CardNotFound") },
  Card: { updatedAt: (card) => new Date(card.updated_at).toISOString() },
  Mutation: {
    updateCard: (_, { boardId, input: { cardId, title } }) => {
      const { card, offset } = rename(boardId, cardId, title);
      return card ? { card, cursor: `00000000-00000000-${offset}-0` } : { message: "Card not found" };
    },
  },
};
const yoga = createYoga({ schema: createSchema({ typeDefs, resolvers }), logging: false });

async function take(request, response) {
  const parts = [];
  for await (const part of request) parts.push(part);
  takeAll(JSON.parse(Buffer.concat(parts).toString()));
  response.writeHead(202, { "Content-Type": "application/json" }).end("{}");
}

announce(
  createServer((request, response) => {
    if (request.url.startsWith("/api/")) take(request, response);
    else yoga(request, response);
  }),
);
