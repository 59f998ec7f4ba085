"""The subprotocol `graphql-ws` of subscriptions-transport-ws, for clients that know no other."""

from __future__ import annotations

from tests.kit.live_server import LiveServer
from tests.kit.publishing import Publisher
from tests.live.boards import BOARD
from tests.live.graphql.client import ACK, INIT, open_client

_EVENTS = "subscription ($id: ID!) { boardEvents(boardId: $id) { __typename ... on AgentRegistered { label } } }"


async def test_older_subprotocol_subscribes_and_stops(boards: LiveServer) -> None:
    async with open_client(boards.address, "graphql-ws") as client:
        assert client.socket.response.header("Sec-WebSocket-Protocol") == "graphql-ws"
        await client.send(INIT)
        await client.expect(ACK)
        await client.send({"id": "1", "type": "start", "payload": {"query": _EVENTS, "variables": {"id": BOARD}}})
        for told in ({"__typename": "Hello"}, {"__typename": "State"}):
            await client.expect({"id": "1", "type": "data", "payload": {"data": {"boardEvents": told}}})
        await Publisher(boards.address).mark("live")
        marker = {"__typename": "AgentRegistered", "label": "live"}
        await client.expect({"id": "1", "type": "data", "payload": {"data": {"boardEvents": marker}}})
        await client.send({"id": "1", "type": "stop"})
        await client.expect({"id": "1", "type": "complete"})
        assert boards.node.hub.statistics().subscribers == 0
