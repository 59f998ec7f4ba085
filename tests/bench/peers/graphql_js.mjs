// graphql-js behind graphql-ws, without other layers.
import { createServer } from "node:http";
import { buildSchema } from "graphql";
import { useServer } from "graphql-ws/use/ws";
import { WebSocketServer } from "ws";
import { announce, boardState, call, typeDefs } from "./board.mjs";

const schema = buildSchema(typeDefs);
const field = schema.getSubscriptionType().getFields().boardState;
field.subscribe = (_, { boardId }) => boardState(boardId);
field.resolve = (state) => state;

const server = createServer(call);
useServer({ schema }, new WebSocketServer({ server, path: "/graphql", perMessageDeflate: false }));
announce(server);
