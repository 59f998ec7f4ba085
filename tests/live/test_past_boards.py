"""The board as it was after each event of its log (`GET /boards/{id}/past`)."""

from __future__ import annotations

from typing import Any

import orjson

from realtime.backends.sql.store import SqlStore
from realtime.kanban.ids import BoardId
from realtime.messages.channels import board_channel
from realtime.ports import Horizon
from tests.kit.deadline import deadline
from tests.kit.live_server import LiveServer
from tests.kit.raw_http import exchange
from tests.live.boards import BOARD, TODO

_PATH = f"/api/v1/boards/{BOARD}"


async def _past(live: LiveServer, query: str = "") -> tuple[int, Any]:
    async with deadline(10):
        answer = await exchange(live.address, "GET", f"{_PATH}/past{query}")
    return answer.status, answer.json()


async def _create(live: LiveServer, title: str) -> dict[str, Any]:
    """Create a card, and return the newest past board."""
    async with deadline(10):
        body = orjson.dumps({"columnId": TODO, "title": title})
        assert (await exchange(live.address, "POST", f"{_PATH}/cards", body)).status == 201
    _, past = await _past(live)
    return dict(past)


async def test_each_offset_shows_the_board_of_that_time_until_it_is_pruned(boards: LiveServer) -> None:
    seen = {past["offset"]: past for past in [await _create(boards, f"card {number}") for number in range(4)]}
    last = max(seen)
    for offset, then in seen.items():
        _, again = await _past(boards, f"?offset={offset}")
        assert again == {**then, "last": last}
        assert again["state"] == then["state"]
    assert len({len(then["state"]["cards"]) for then in seen.values()}) == 4
    assert seen[last]["event"]["name"] in {"card.created", "board.state.changed"}
    store = boards.node.store
    assert isinstance(store, SqlStore)
    assert await store.prune(board_channel(BoardId(BOARD)), Horizon(newest_events=2), 500) == last - 2
    _, first = await _past(boards, f"?offset={last - 2}")
    assert (first["first"], first["last"], first["event"]) == (last - 2, last, None)
    assert first["state"]["columnOrder"]
    status, lost = await _past(boards, f"?offset={last - 3}")
    assert (status, lost["detail"]) == (410, "The log does not reach back so far")


async def test_offset_that_no_event_has_is_refused(boards: LiveServer) -> None:
    for offset, status in (("0", 404), ("999999", 404), ("-1", 400), ("x", 400), ("", 400)):
        assert (await _past(boards, f"?offset={offset}"))[0] == status, offset
