"""A client in JavaScript keeps a copy of a board from diffs, and the heartbeats confirm it."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from tests.clients.node_script import NodeScript, run_script
from tests.clients.rest_client import BoardClient, open_board
from tests.kit.deadline import deadline
from tests.kit.live_server import live_server

pytestmark = pytest.mark.node


@pytest.fixture
async def board(clients_present: None) -> AsyncGenerator[BoardClient]:
    """A new board on a server with frequent heartbeats."""
    async with live_server(heartbeat_seconds=0.1) as server, open_board(server.url) as client:
        yield client


def _card(id: str, **more: Any) -> dict[str, Any]:
    return {"id": id, "title": f"Title of {id}", **more}


async def _replace_state(board: BoardClient) -> None:
    """Replace the columns and cards. Their ids need special treatment in the canonical form and in JSON pointers."""
    numbers = {"issueNumber": 2**53 - 1, "url": "https://h/i"}
    cards = [
        *(_card("10"), _card("9", description='Ünïcödé "\\\u2028\x7f\x01🚀')),
        *(_card("a/b~c", ticketType="fix", githubIssue=numbers), _card("\U0001f600"), _card("\ufb33", dependsOn=["9"])),
    ]
    columns = {"all": {"id": "all", "title": "All", "cardIds": [card["id"] for card in cards]}}
    state = {"columns": columns, "columnOrder": ["all"], "cards": {card["id"]: card for card in cards}}
    await board.publish("board.state.changed", state=state)


async def _until_right(script: NodeScript, board: BoardClient) -> None:
    """Read until the copy is the board's state. Every heartbeat on the way must confirm the copy."""
    wanted, copy = _as_javascript_reads(await board.state()), None
    async with deadline(30):
        while copy != wanted:
            assert (await script.wait_for("heartbeat"))["isRight"] is True
            await script.order("show")
            copy = _as_javascript_reads((await script.wait_for("copy"))["state"])
    assert (await script.wait_for("heartbeat"))["isRight"] is True


def _as_javascript_reads(state: Any) -> Any:
    return json.loads(json.dumps(state), parse_int=float)


@pytest.mark.parametrize("delivery", ["changes", "patch"])
async def test_copy_is_right_at_every_heartbeat(delivery: str, board: BoardClient) -> None:
    stream_url = f"{board.http.base_url}/api/v1/sse?boardId={board.board_id}&delivery={delivery}"
    async with run_script("board_copy.mjs", {"streamUrl": stream_url}) as script:
        await script.wait_for("change", type="state")
        cards = [await board.create_card(f"Card {n}") for n in range(4)]
        await board.move_card(cards[0], column=2)
        await board.move_card(cards[3], column=0, index=0)
        await _until_right(script, board)
        await _replace_state(board)
        await _until_right(script, board)
        await script.finish()
    assert all(report["isRight"] for report in script.reports if report["at"] == "heartbeat")
    kinds = {report["type"] for report in script.reports if report["at"] == "change"}
    changes = {"card_created", "card_moved", "card_deleted", "columns_changed"}
    assert kinds == {"state", *(changes if delivery == "changes" else {"patch"})}
