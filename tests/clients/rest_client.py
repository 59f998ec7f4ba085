"""A second client, which changes the board through REST and ingest while the tested client watches."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx

__all__ = ["BoardClient", "open_board"]


@dataclass(frozen=True)
class BoardClient:
    """One board of the server at `url`, with the ids of its four default columns."""

    http: httpx.AsyncClient
    board_id: str
    column_ids: tuple[str, ...]

    async def state(self) -> dict[str, Any]:
        """The state of the board in REST."""
        answer = await self.http.get(f"/api/v1/boards/{self.board_id}")
        return dict(answer.raise_for_status().json()["state"])

    async def create_card(self, title: str, *, column: int = 0) -> str:
        """Create a card at the end of the column and return its id."""
        body = {"columnId": self.column_ids[column], "title": title}
        answer = await self.http.post(f"/api/v1/boards/{self.board_id}/cards", json=body)
        return str(answer.raise_for_status().json()["cardId"])

    async def move_card(self, card_id: str, *, column: int, index: int = 0) -> None:
        """Move a card to `index` of the column."""
        body = {"columnId": self.column_ids[column], "index": index}
        answer = await self.http.patch(f"/api/v1/boards/{self.board_id}/cards/{quote(card_id)}", json=body)
        answer.raise_for_status()

    async def publish(self, name: str, **payload: object) -> None:
        """Publish one domain event of this board through ingest."""
        event = {"name": name, "payload": {"boardId": self.board_id, **payload}}
        (await self.http.post("/api/v1/events", json=event)).raise_for_status()

    async def queue_attempt(self, attempt_id: str, card_id: str) -> None:
        """Publish an attempt with the status `queued`."""
        runner = {"agent": "CODEX", "branchName": "work", "baseBranch": "main"}
        await self.publish("attempt.queued", attemptId=attempt_id, cardId=card_id, **runner)

    async def change_status(self, attempt_id: str, card_id: str, status: str, previous: str = "queued") -> None:
        """Publish a new status of an attempt."""
        change = {"status": status, "previousStatus": previous, "endedAt": None}
        await self.publish("attempt.status.changed", attemptId=attempt_id, cardId=card_id, **change)

    def titles(self, state: dict[str, Any], column: int) -> list[str]:
        """The titles of the column's cards, in order, in a state of any exit except GraphQL."""
        card_ids = state["columns"][self.column_ids[column]]["cardIds"]
        return [state["cards"][card_id]["title"] for card_id in card_ids]


@asynccontextmanager
async def open_board(url: str, name: str = "Client Tests") -> AsyncGenerator[BoardClient]:
    """Create a board on the server at `url` and return a client for it."""
    # Each call has its own connection: the server might close an idle one at the moment of the next call.
    limits = httpx.Limits(max_keepalive_connections=0)
    async with httpx.AsyncClient(base_url=url, trust_env=False, limits=limits) as http:
        body = {"name": name, "repositoryPath": "/srv/client-tests"}
        board_id = str((await http.post("/api/v1/projects", json=body)).raise_for_status().json()["id"])
        answer = (await http.get(f"/api/v1/boards/{board_id}")).raise_for_status().json()
        yield BoardClient(http, board_id, tuple(answer["state"]["columnOrder"]))
