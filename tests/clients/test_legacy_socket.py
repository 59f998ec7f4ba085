"""npm `ws` sockets behave like the legacy user interface: commands on one socket, their effect on both."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.clients.node_script import NodeScript, run_script
from tests.clients.rest_client import BoardClient

pytestmark = pytest.mark.node


@asynccontextmanager
async def two_sockets(server_url: str, board: BoardClient) -> AsyncGenerator[NodeScript]:
    url = server_url.replace("http", "ws", 1) + f"/api/v1/ws?boardId={board.board_id}"
    async with run_script("legacy_socket.mjs", {"socketUrl": url}) as script:
        for socket in ("first", "second"):
            await script.order("open", socket=socket)
            for expected in ("hello", "state"):
                assert (await frame_of(script, socket))["type"] == expected
        yield script
        await script.finish()


async def frame_of(script: NodeScript, socket: str) -> dict[str, Any]:
    frame: dict[str, Any] = (await script.wait_for("frame", socket=socket, isBinary=False))["frame"]
    return frame


async def send(script: NodeScript, kind: str, **payload: object) -> None:
    await script.order("send", socket="first", message={"type": kind, "payload": payload})


async def state_of_both(script: NodeScript) -> dict[str, Any]:
    """The next frame of either socket, which must be the same `state`."""
    frames: dict[str, dict[str, Any]] = {}
    while len(frames) < 2:
        report = await script.wait_for("frame")
        frames[report["socket"]] = report["frame"]
    assert frames["first"] == frames["second"]
    assert frames["first"]["type"] == "state"
    return dict(frames["first"]["payload"])


async def test_ping_is_answered_to_its_socket_only(server_url: str, board: BoardClient) -> None:
    async with two_sockets(server_url, board) as script:
        await script.order("send", socket="first", message={"type": "ping"})
        assert (await frame_of(script, "first"))["type"] == "pong"
        await board.create_card("Marker")
        assert (await frame_of(script, "second"))["type"] == "state"


async def test_commands_are_seen_by_second_socket(server_url: str, board: BoardClient) -> None:
    async with two_sockets(server_url, board) as script:
        await send(script, "create_card", columnId=board.column_ids[0], title="By socket")
        state = await state_of_both(script)
        assert board.titles(state, 0) == ["By socket"]
        (card_id,) = state["cards"]
        await send(script, "update_card", cardId=card_id, title="Renamed")
        assert board.titles(await state_of_both(script), 0) == ["Renamed"]
        await send(script, "move_card", cardId=card_id, toColumnId=board.column_ids[2], toIndex=0)
        state = await state_of_both(script)
        assert (board.titles(state, 0), board.titles(state, 2)) == ([], ["Renamed"])
        await send(script, "delete_card", cardId=card_id)
        assert (await state_of_both(script))["cards"] == {}


async def test_refused_command_is_reported_to_its_sender_only(server_url: str, board: BoardClient) -> None:
    async with two_sockets(server_url, board) as script:
        await send(script, "delete_card", cardId="card-unknown")
        refusal = await frame_of(script, "first")
        assert refusal["type"] == "error"
        assert (refusal["payload"]["command"], refusal["payload"]["code"]) == ("delete_card", "card_not_found")
        await board.create_card("Marker")
        assert (await frame_of(script, "second"))["type"] == "state"
