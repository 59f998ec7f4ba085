"""A view that is behind its log accepts no event, and its subscribers wait."""

from __future__ import annotations

import asyncio

import anyio
import pytest

from realtime.errors import StoreUnavailable
from realtime.kanban.board import Board, Recorded
from realtime.kanban.events import AgentRegistered
from realtime.messages.position import Position
from realtime.ports import StoredEvent
from realtime.views import board_view
from realtime.views.board_view import BoardView
from tests.kit.deadline import deadline
from tests.kit.nodes import BOARD, START

AT = Position("e1", "0a0a0a0a", 5, 3)


@pytest.fixture
async def view(board: Board) -> BoardView:
    """A view at offset 5, and 3 of the global log."""
    return BoardView(board, AT)


@pytest.mark.parametrize(
    ("place", "is_next"), [((6, 3), True), ((6, 2), True), ((6, 4), False), ((5, 3), False), ((7, 3), False)]
)
async def test_next_event_is_the_very_next_of_both_logs(view: BoardView, place: tuple[int, int], is_next: bool) -> None:
    stored = StoredEvent(BOARD, Recorded(AgentRegistered(agent="A"), START), *place)  # type: ignore[arg-type]  # any event works
    assert view.is_next(stored) is is_next


async def test_subscriber_of_a_view_that_is_behind_waits_for_its_repair(view: BoardView) -> None:
    async with deadline(5):
        await view.repaired()
        view.fall_behind()
        waiting = asyncio.create_task(view.repaired())
        await anyio.wait_all_tasks_blocked()
        assert view.is_behind
        assert not waiting.done()
        view.catch_up()
        await waiting
    assert not view.is_behind


async def test_subscriber_does_not_wait_for_ever(view: BoardView, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(board_view, "REPAIR_WAIT_SECONDS", 0.01)
    view.fall_behind()
    async with deadline(5):
        with pytest.raises(StoreUnavailable, match="could not be brought up to date"):
            await view.repaired()


async def test_broken_view_stands_where_its_subscribers_do_until_it_is_restored(view: BoardView, board: Board) -> None:
    view.fall_behind(AT._replace(offset=4))
    broken = (view.is_broken, view.position.offset)
    view.restore(board.copy(), AT)
    assert [broken, (view.is_broken, view.position.offset)] == [(True, 4), (False, 5)]
    assert view.is_behind
