"""PyPI `gql` as a client whose token changes: as `refreshing.mjs`, and with the same reports."""

from __future__ import annotations

import asyncio
import math
import sys
import time
from typing import Any

import anyio
import jwt
import orjson
from gql import Client, gql
from gql.transport.exceptions import TransportError
from gql.transport.websockets import WebsocketsTransport
from tenacity import retry, retry_if_exception_type, wait_fixed
from websockets.exceptions import WebSocketException

__all__: list[str] = []

_CHANGES = """subscription ($boardId: ID!, $after: String) { boardChanges(boardId: $boardId, after: $after) {
    __typename
    ... on State { cursor }
    ... on CardCreated { cursor card { title } }
    ... on Gap { reason }
    ... on Goodbye { reason }
} }"""
_PAUSE_SECONDS = 0.05


class _Follower:
    """Follows the board of the settings."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self._address = settings["url"].replace("http", "ws", 1) + "/graphql"
        self._board_id = settings["boardId"]
        self._settings = settings
        self._cursor: str | None = None

    @retry(
        retry=retry_if_exception_type((OSError, TransportError, WebSocketException)), wait=wait_fixed(_PAUSE_SECONDS)
    )
    async def follow(self) -> None:
        payload = {"token": await self._token()}
        request = gql(_CHANGES)
        request.variable_values = {"boardId": self._board_id, "after": self._cursor}
        async with Client(transport=WebsocketsTransport(self._address, init_payload=payload)) as session:
            async for result in session.subscribe(request):
                event = result["boardChanges"]
                self._cursor = event.get("cursor", self._cursor)
                _report(event)

    async def _token(self) -> str:
        """Return the token of the file, or one that is valid for a moment."""
        if not self._settings["signingKey"]:
            return await anyio.Path(self._settings["tokenFile"]).read_text()
        end = math.ceil(time.time() + self._settings["lifeSeconds"])
        claims = {"sub": "ada", "exp": end, "boardcast": {"boards": ["*"], "can": ["read"]}}
        return jwt.encode(claims, self._settings["signingKey"], "HS256")


def _report(event: dict[str, Any]) -> None:
    change = {
        "at": "change",
        "type": event["__typename"],
        "cursor": event.get("cursor"),
        "title": event.get("card", {}).get("title"),
        "reason": event.get("reason"),
    }
    sys.stdout.buffer.write(orjson.dumps(change) + b"\n")
    sys.stdout.buffer.flush()


async def _main() -> None:
    following = asyncio.create_task(_Follower(orjson.loads(sys.argv[1])).follow())
    while await asyncio.to_thread(sys.stdin.buffer.readline):
        pass
    following.cancel()


if __name__ == "__main__":
    asyncio.run(_main())
