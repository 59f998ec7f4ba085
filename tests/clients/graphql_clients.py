"""The common GraphQL clients, each started as a script, and the operations that a test can request from any of them.

Each script adapts one client. `carry_out.mjs` describes the orders that all scripts accept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any

from tests.clients.node_script import NodeScript, run_script
from tests.clients.operations import read_operation
from tests.clients.rest_client import BoardClient

__all__ = ["CLIENTS", "RETRYING", "BoardSubscriber", "GraphqlClient"]


@dataclass(frozen=True)
class GraphqlClient:
    """One client: its script in this folder, and its settings in addition to the addresses."""

    script: str
    settings: Mapping[str, object] = field(default_factory=dict)

    @property
    def needs_node(self) -> bool:
        """Whether it is written in JavaScript."""
        return self.script.endswith(".mjs")

    def start(self, server_url: str) -> AbstractAsyncContextManager[NodeScript]:
        """Start the client for the server at `server_url`."""
        url = f"{server_url}/graphql"
        addresses = {"url": url, "socketUrl": url.replace("http", "ws", 1)}
        return run_script(self.script, {**addresses, **self.settings})


class BoardSubscriber:
    """A running client that works with one board. Names of subscriptions are its own."""

    def __init__(self, script: NodeScript, board: BoardClient) -> None:
        """Send orders for `board` to `script`; others change the board at the same time."""
        self.board = board
        self._script = script
        self._board = {"boardId": board.board_id}
        self._taken: Counter[tuple[str, str]] = Counter()
        self._running: list[str] = []

    async def query(self) -> list[str]:
        """Query the board and return the titles of its cards."""
        return _titles((await self._ask("query", "Board", self._board))["board"])

    async def mutate(self, title: str) -> str:
        """Create a card by mutation and return its id."""
        variables = {**self._board, "input": {"columnId": self.board.column_ids[0], "title": title}}
        return str((await self._ask("mutate", "CreateCard", variables))["createCard"]["card"]["cardId"])

    async def subscribe(self, name: str, **variables: object) -> None:
        """Subscribe to the state of the board, or of another board if `boardId` is given."""
        self._running.append(name)
        await self._order("subscribe", name, "BoardState", {**self._board, **variables})

    async def unsubscribe(self, name: str) -> None:
        """Return when the client has unsubscribed; the server may not know it yet."""
        self._running.remove(name)
        await self._script.order("unsubscribe", name=self._full(name))
        await self._wait_for("unsubscribed", name)

    async def leave(self) -> None:
        """Unsubscribe from all remaining subscriptions."""
        for name in tuple(self._running):
            await self.unsubscribe(name)

    async def titles(self, name: str) -> list[str]:
        """Return the titles of the next state that the subscription receives."""
        return _titles((await self._wait_for("next", name))["result"]["data"]["boardState"])

    async def refusal(self, name: str) -> str:
        """Return the code of the first error that ends the subscription."""
        return str((await self._wait_for("refused", name))["errors"][0]["extensions"]["code"])

    def reports_of(self, name: str) -> list[str]:
        """The reports about `name` so far: `next`, `refused`, `complete`, `unsubscribed`."""
        return [report["at"] for report in self._script.reports if report.get("name") == self._full(name)]

    async def _ask(self, do: str, operation: str, variables: Mapping[str, object]) -> dict[str, Any]:
        await self._order(do, operation, operation, variables)
        data: dict[str, Any] = (await self._wait_for("result", operation))["result"]["data"]
        return data

    async def _order(self, do: str, name: str, operation: str, variables: Mapping[str, object]) -> None:
        query = read_operation(operation)
        await self._script.order(do, name=self._full(name), query=query, variables=variables)

    async def _wait_for(self, at: str, name: str) -> dict[str, Any]:
        # Each name by itself: the network decides whether an answer or the event that it causes comes first.
        found = [
            report for report in self._script.reports if (report["at"], report.get("name")) == (at, self._full(name))
        ]
        taken = self._taken[at, name]
        self._taken[at, name] += 1
        return found[taken] if taken < len(found) else await self._script.wait_for(at, name=self._full(name))

    def _full(self, name: str) -> str:
        return f"{self.board.board_id}/{name}"


def _titles(state: Mapping[str, Any]) -> list[str]:
    return [card["title"] for column in state["columns"] for card in column["cards"]]


_NEW = {"subprotocol": "graphql-transport-ws"}
_OLDER = {"subprotocol": "graphql-ws"}

#: Name → client.
CLIENTS = {
    "apollo": GraphqlClient("apollo.mjs"),
    "apollo-multipart": GraphqlClient("apollo.mjs", {"multipart": True}),
    "gql": GraphqlClient("gql_client.py", _NEW),
    "gql-aiohttp": GraphqlClient("gql_client.py", {"multipart": True}),
    "gql-http": GraphqlClient("gql_client.py", {**_NEW, "asksOverHttp": True}),
    "gql-older": GraphqlClient("gql_client.py", _OLDER),
    "graphql-sse": GraphqlClient("graphql_sse.mjs"),
    "graphql-sse-single": GraphqlClient("graphql_sse.mjs", {"singleConnection": True}),
    "graphql-ws": GraphqlClient("graphql_ws.mjs"),
    "relay": GraphqlClient("relay.mjs"),
    "subscriptions-transport-ws": GraphqlClient("subscriptions_transport_ws.mjs"),
    "urql": GraphqlClient("urql.mjs"),
}

#: Clients that repeat a mutation whose answer is lost.
RETRYING = {
    "apollo": GraphqlClient("apollo.mjs", {"retries": True}),
    "urql": GraphqlClient("urql.mjs", {"retries": True}),
}
