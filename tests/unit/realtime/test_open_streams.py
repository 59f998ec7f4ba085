"""The list of open streams: exit, board, delivery, how far behind, what waits, the last gap."""

from __future__ import annotations

from contextlib import aclosing

from realtime.dashboard.time_range import DEFAULT_TIME_RANGE
from realtime.kanban.board import Board
from realtime.messages.options import Delivery, StreamOptions
from realtime.node import Node
from realtime.service.open_streams import open_streams
from tests.kit.deadline import deadline
from tests.kit.envelope_streams import board_stream, dashboard_stream
from tests.kit.nodes import BOARD, publish
from tests.kit.publishing import event

_LINE = {"attemptId": "a1", "boardId": BOARD, "level": "info", "message": "m"}


async def test_stream_that_takes_nothing_is_behind_and_first(node: Node, board: Board) -> None:
    quick, stuck = [node.subscriber(node.metrics(exit)) for exit in ("board-sse", "board-ws")]
    patches = StreamOptions(delivery=Delivery.PATCH)
    async with (
        deadline(10),
        aclosing(board_stream(node, BOARD, quick)) as reading,
        aclosing(board_stream(node, BOARD, stuck, patches)) as waiting,
    ):
        for stream in (reading, waiting):
            assert [(await anext(stream)).type for _ in range(2)] == ["hello", "state"]
        await publish(node, *[event("attempt.log.appended", _LINE) for _ in range(3)])
        for _ in range(3):
            assert (await anext(reading)).type == "attempt_log"
        total, (first, second) = open_streams(node, 10)
        assert (total, first.exit, first.board_id, first.detail) == (2, "board-ws", BOARD, "patch")
        assert (first.behind, first.queued, first.last_gap) == (3, 3, None)
        assert (second.exit, second.detail, second.behind, second.queued) == ("board-sse", "state", 0, 0)
        assert [one.exit for one in open_streams(node, 1)[1]] == ["board-ws"]


async def test_stream_with_a_cursor_of_elsewhere_tells_its_gap(node: Node, board: Board) -> None:
    subscriber = node.subscriber()
    foreign = StreamOptions(after="elsewhere-00000000-5-0")
    async with deadline(10), aclosing(board_stream(node, BOARD, subscriber, foreign)) as stream:
        assert [(await anext(stream)).type for _ in range(2)] == ["hello", "gap"]
        _, (found,) = open_streams(node, 10)
        assert (found.exit, found.last_gap, found.behind) == ("", "epoch_changed", 0)


async def test_stream_of_the_dashboard_has_its_range_and_no_board(node: Node, board: Board) -> None:
    async with deadline(10), aclosing(dashboard_stream(node, DEFAULT_TIME_RANGE, node.subscriber())) as stream:
        assert [(await anext(stream)).type for _ in range(2)] == ["hello", "dashboard_overview"]
        _, (found,) = open_streams(node, 10)
        assert (found.board_id, found.behind, found.queued) == (None, 0, 0)
        assert "last_7d" in found.detail
