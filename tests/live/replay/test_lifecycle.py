"""Scenarios whose outcome differs completely: a board that is deleted, a client that resumes with an invalid cursor."""

from __future__ import annotations

from typing import Any

import pytest

from tests.kit.deadline import deadline
from tests.kit.live_server import LiveServer
from tests.kit.publishing import Publisher, event
from tests.kit.raw_http import exchange
from tests.kit.raw_socket import open_socket
from tests.kit.recordings import Json
from tests.kit.sse_reader import open_stream
from tests.live.replay.stage import board_events
from tests.live.replay.subscribers import SocketSubscriber, StreamSubscriber, Subscriber

_BOARD, _OTHER = "board-1", "board-2"
_STATE = {"columns": {"c": {"id": "c", "title": "Backlog", "cardIds": []}}, "columnOrder": ["c"], "cards": {}}


async def _delete(live: LiveServer, by: str) -> None:
    if by == "rest":
        assert (await exchange(live.address, "DELETE", f"/api/v1/projects/{_BOARD}")).status == 204
    else:
        payload = {"projectId": _BOARD, "projectName": "Alpha Board", "repositoryPath": None}
        await Publisher(live.address).publish(event("project.deleted", payload))


def _check_goodbye(envelope: Json) -> None:
    assert envelope["type"] == "goodbye", envelope
    payload: Any = envelope["payload"]
    assert list(payload) == ["reason", "reconnectAfterMs"]
    assert payload["reason"] == "board_deleted"
    assert payload["reconnectAfterMs"] >= 0


@pytest.mark.parametrize("by", ["rest", "ingest"])
async def test_deleted_board_says_goodbye_to_its_subscribers_only(by: str, live: LiveServer) -> None:
    """`project_deleted_while_connected`, row 8."""
    publisher = Publisher(live.address)
    await publisher.publish(*board_events(_BOARD, _STATE), *board_events(_OTHER, _STATE))
    board, other = f"/api/v1/ws?boardId={_BOARD}", f"/api/v1/sse?boardId={_OTHER}"
    async with (
        open_socket(live.address, board) as socket,
        open_stream(live.address, f"/api/v1/sse?boardId={_BOARD}") as stream,
        open_socket(live.address, "/api/v1/ws/dashboard") as overviews,
        open_stream(live.address, other) as bystander,
    ):
        subscribers: list[Subscriber] = [
            SocketSubscriber(socket, is_dashboard=False),
            StreamSubscriber(stream),
            SocketSubscriber(overviews, is_dashboard=True),
            StreamSubscriber(bystander),
        ]
        for subscriber in subscribers:
            assert (await subscriber.envelope())["type"] == "hello"
            assert (await subscriber.envelope())["type"] in {"state", "dashboard_overview"}
        await _delete(live, by)
        _check_goodbye(await subscribers[0].envelope())
        _check_goodbye(await subscribers[1].envelope())
        await socket.send_json({"type": "ping"})
        assert (await subscribers[0].envelope())["type"] == "pong"
        assert (await subscribers[2].envelope())["type"] == "dashboard_overview"
        await publisher.mark("still here")
        assert (await subscribers[3].envelope())["payload"]["label"] == "still here"


async def test_bad_last_event_id_is_answered_by_a_gap_and_a_fresh_state(live: LiveServer) -> None:
    """`last_event_id_ignored`, row 23."""
    await Publisher(live.address).publish(*board_events(_BOARD, _STATE))
    headers = [("Accept", "text/event-stream"), ("Last-Event-ID", "42")]
    async with open_stream(live.address, f"/api/v1/sse?boardId={_BOARD}", headers) as stream:
        assert stream.response.status == 200
        async with deadline(5):
            envelopes = [await stream.event() for _ in range(3)]
    assert [type_ for type_, _ in envelopes] == ["hello", "gap", "state"]
    gap: Any = envelopes[1][1]
    assert list(gap) == ["reason", "from", "to"]
    assert gap["reason"] == "invalid_cursor"
