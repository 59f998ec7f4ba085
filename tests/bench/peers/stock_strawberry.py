"""Strawberry without changes, under uvicorn: the same board and the same subscription with the library's defaults."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import strawberry
import uvicorn
import uvloop
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route, WebSocketRoute
from strawberry.asgi import GraphQL


@strawberry.type
class Card:
    """A card."""

    id: strawberry.ID
    title: str
    is_enhanced: bool
    created_at: datetime
    updated_at: datetime
    ticket_key: str | None = None
    description: str | None = None
    ticket_type: str | None = None


@strawberry.type
class Column:
    """A column."""

    id: strawberry.ID
    title: str
    card_ids: list[strawberry.ID]


@strawberry.type
class BoardState:
    """A board."""

    cursor: str
    column_order: list[strawberry.ID]
    columns: list[Column]
    cards: list[Card]


class Board:
    """One board and its subscribers."""

    def __init__(self) -> None:
        """Start empty."""
        self.offset = 0
        self.columns: list[Column] = []
        self.cards: dict[str, Card] = {}
        self.subscribers: set[asyncio.Queue[BoardState]] = set()

    def state(self) -> BoardState:
        """Return the current board. The cursor is as long as one of Boardcast's."""
        order = [column.id for column in self.columns]
        return BoardState(
            cursor=f"00000000-00000000-{self.offset}-0",
            column_order=order,
            columns=self.columns,
            cards=list(self.cards.values()),
        )

    def rename(self, card_id: str, title: str) -> None:
        """Rename a card and send one state object to every subscriber."""
        self.cards[card_id] = replace(self.cards[card_id], title=title, updated_at=datetime.now(UTC))
        self.offset += 1
        state = self.state()
        for subscriber in self.subscribers:
            subscriber.put_nowait(state)


boards: dict[str, Board] = {}


@strawberry.type
class Query:
    """The query type, which a schema must have."""

    @strawberry.field
    def ready(self) -> bool:
        """Return true."""
        return True


@strawberry.type
class Subscription:
    """The measured subscription."""

    @strawberry.subscription
    async def board_state(self, board_id: strawberry.ID) -> AsyncGenerator[BoardState, None]:
        """Yield the board, then its newest state."""
        board = boards[board_id]
        queue: asyncio.Queue[BoardState] = asyncio.Queue(10_000)
        board.subscribers.add(queue)
        try:
            yield board.state()
            while True:
                yield await queue.get()
        finally:
            board.subscribers.discard(queue)


async def take_events(request: Request) -> JSONResponse:
    """Accept `project.created` and `board.state.changed`."""
    for event in await request.json():
        payload = event["payload"]
        if event["name"] == "project.created":
            boards[payload["projectId"]] = Board()
        else:
            _fill(boards[payload["boardId"]], payload["state"])
    return JSONResponse({})


async def change_card(request: Request) -> JSONResponse:
    """Accept a new title."""
    boards[request.path_params["board"]].rename(request.path_params["card"], (await request.json())["title"])
    return JSONResponse({})


def _fill(board: Board, state: dict[str, Any]) -> None:
    columns = [state["columns"][id] for id in state["columnOrder"]]
    board.columns = [Column(id=column["id"], title=column["title"], card_ids=column["cardIds"]) for column in columns]
    board.cards = {
        card["id"]: Card(
            id=card["id"],
            title=card["title"],
            is_enhanced=False,
            created_at=datetime.fromisoformat(card["createdAt"]),
            updated_at=datetime.fromisoformat(card["updatedAt"]),
            ticket_key=card["ticketKey"],
            description=card["description"],
            ticket_type=card["ticketType"],
        )
        for card in state["cards"].values()
    }


async def main() -> None:
    """Serve on a free port."""
    graphql: Any = GraphQL(strawberry.Schema(Query, subscription=Subscription))
    app = Starlette(
        routes=[
            Route("/api/v1/events", take_events, methods=["POST"]),
            Route("/api/v1/boards/{board}/cards/{card}", change_card, methods=["PATCH"]),
            WebSocketRoute("/graphql", graphql),
        ]
    )
    config = uvicorn.Config(app, log_level="warning", ws_per_message_deflate=False)
    listening = socket.create_server(("127.0.0.1", 0), backlog=2048)
    sys.stdout.write(f"Listening on http://127.0.0.1:{listening.getsockname()[1]}\n")
    sys.stdout.flush()
    await uvicorn.Server(config).serve([listening])


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        uvloop.run(main())  # the loop that `uvicorn module:app` chooses
