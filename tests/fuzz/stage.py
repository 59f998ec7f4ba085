"""The boards of the inputs. They are made anew from time to time, so that inputs find objects and do not pile up."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import orjson

from tests.kit.deadline import deadline
from tests.kit.raw_http import Address, Answer, exchange
from tests.live.boards import BOARD, OTHER, board_as_events

__all__ = ["WITNESS_BOARD", "make_witness_board", "set_stage"]

#: The board of the witness; no input names it.
WITNESS_BOARD = "board-of-the-witness"
_WAIT_UNITS = 30


async def set_stage(address: Address, token: str | None) -> str:
    """Delete all boards except the witness's, make the two of the inputs, and return a cursor of the first."""
    answer = await _ask(address, "GET", "/api/v1/projects", token)
    for project in orjson.loads(answer.body):
        if project["id"] != WITNESS_BOARD:
            await _ask(address, "DELETE", f"/api/v1/projects/{quote(project['id'], safe='')}", token)
    accepted = await _publish(
        address, token, [*board_as_events(BOARD, "Alpha", ""), *board_as_events(OTHER, "Beta", "other-")]
    )
    cursor: str = accepted[0]["cursor"]
    return cursor


async def make_witness_board(address: Address, token: str | None) -> None:
    """Make the board of the witness."""
    await _publish(address, token, board_as_events(WITNESS_BOARD, "Gamma", "witness-"))


async def _publish(address: Address, token: str | None, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    answer = await _ask(address, "POST", "/api/v1/events", token, orjson.dumps(events))
    assert answer.status == 202, f"expected 202, got {answer}"
    accepted: list[dict[str, Any]] = orjson.loads(answer.body)["accepted"]
    return accepted


async def _ask(address: Address, method: str, target: str, token: str | None, body: bytes | None = None) -> Answer:
    headers = [("Authorization", f"Bearer {token}")] if token else []
    async with deadline(_WAIT_UNITS):
        return await exchange(address, method, target, body, headers)
