"""From the log to the queues: the right channels, the right cursors, and silence on all others."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing
from typing import Any

import pytest

from realtime.dashboard.time_range import DEFAULT_TIME_RANGE
from realtime.errors import BoardGone
from realtime.fanout.subscriber import Subscriber
from realtime.kanban.board import Board
from realtime.kanban.commands import CreateCard, MoveCard
from realtime.kanban.events import EVENT_NAMES
from realtime.kanban.ids import BoardId
from realtime.messages.channels import board_channel
from realtime.messages.envelopes import Envelope
from realtime.messages.options import Delivery, StreamOptions
from realtime.messages.payloads import State
from realtime.messages.position import Position, channel_tag, parse_cursor
from realtime.node import Node
from tests.kit.deadline import deadline
from tests.kit.envelope_streams import board_stream, dashboard_stream
from tests.kit.nodes import BOARD, column_id, create_board, publish, queued, take
from tests.kit.plain_envelopes import decoded
from tests.kit.publishing import event
from tests.unit.realtime.event_samples import AT, SAMPLES

#: Events with envelopes on every channel, and events with envelopes on their own board.
_EVERYBODY = {"agent.registered", "agent.profile.changed"}
_OWN_BOARD = {
    *("board.state.changed", "project.deleted", "git.status.changed", "git.commit.created", "git.push.completed"),
    *("attempt.started", "attempt.status.changed", "attempt.log.appended", "attempt.conversation.appended"),
    *("attempt.session.recorded", "attempt.todos.updated", "attempt.stopped", "github.pr.created"),
}


class Subscribers:
    """One subscriber each of the board, another board and the dashboard, after their snapshots."""

    def __init__(self) -> None:
        self.board, self.other, self.dashboard = Subscriber(1000), Subscriber(1000), Subscriber(1000)

    async def drain(self) -> tuple[list[Envelope], list[Envelope], list[Envelope]]:
        """Take the waiting envelopes of each, except overviews, which have their own schedule."""
        of_dashboard = [one for one in await queued(self.dashboard) if one.type != "dashboard_overview"]
        return await queued(self.board), await queued(self.other), of_dashboard


@pytest.fixture
async def subscribers(node: Node, board: Board) -> AsyncIterator[Subscribers]:
    """The three subscribers."""
    await create_board(node, "p2")
    made = Subscribers()
    async with AsyncExitStack() as stack:
        for stream in (
            board_stream(node, BOARD, made.board),
            board_stream(node, BoardId("p2"), made.other),
            dashboard_stream(node, DEFAULT_TIME_RANGE, made.dashboard),
        ):
            await stack.enter_async_context(aclosing(stream))
            await take(stream, 2)
        yield made


def _types(envelopes: list[Envelope]) -> list[str]:
    return [one.type for one in envelopes]


@pytest.mark.parametrize("name", EVENT_NAMES)
async def test_event_reaches_its_channels_and_no_other(node: Node, subscribers: Subscribers, name: str) -> None:
    await publish(node, event(name, SAMPLES[name]))
    of_board, of_other, of_dashboard = await subscribers.drain()
    assert bool(of_board) == (name in _EVERYBODY | _OWN_BOARD)
    assert bool(of_other) == bool(of_dashboard) == (name in _EVERYBODY)


async def test_commit_with_an_attempt_makes_two_envelopes_of_one_event(node: Node, subscribers: Subscribers) -> None:
    payload = SAMPLES["git.commit.created"]
    (accepted,) = await publish(node, event("git.commit.created", payload))
    (log, commit), *_ = await subscribers.drain()
    assert _types([log, commit]) == ["attempt_log", "git_commit"]
    whole = parse_cursor(accepted.cursor)
    assert commit.cursor == accepted.cursor
    assert log.cursor == Position(whole.epoch, whole.tag, whole.offset - 1, whole.global_offset, 1).cursor
    assert log.cursor.endswith("-1.1-0")


async def test_cursors_of_a_batch_grow_with_its_events(node: Node, subscribers: Subscribers) -> None:
    line = SAMPLES["attempt.log.appended"]
    accepted = await publish(
        node,
        event("attempt.log.appended", line),
        event("git.rebase.started", {"projectId": "p1"}),
        event("agent.registered", {"agent": "A"}),
        event("git.push.completed", SAMPLES["git.push.completed"]),
        event("agent.registered", {"agent": "B"}),
    )
    of_board, of_other, of_dashboard = await subscribers.drain()
    assert _types(of_board) == ["attempt_log", "agent_registered", "attempt_log", "git_push", "agent_registered"]
    positions = [parse_cursor(one.cursor) for one in of_board if one.cursor]
    assert [(one.offset, one.part, one.global_offset) for one in positions] == [
        (2, 0, 0),
        (3, 0, 1),
        (3, 1, 1),
        (4, 0, 1),
        (4, 0, 2),
    ]
    assert (of_board[0].cursor, of_board[3].cursor) == (accepted[0].cursor, accepted[3].cursor)
    for envelopes, tag in ((of_other, channel_tag(board_channel(BoardId("p2")))), (of_dashboard, None)):
        assert _types(envelopes) == ["agent_registered"] * 2
        cursors = [parse_cursor(one.cursor) for one in envelopes if one.cursor]
        assert [one.global_offset for one in cursors] == [1, 2]
        assert tag is None or {one.tag for one in cursors} == {tag}


async def test_global_event_shares_its_bytes_between_channels(node: Node, subscribers: Subscribers) -> None:
    await publish(node, event("agent.registered", {"agent": "A"}))
    (mine,), (other,), (dashboard,) = await subscribers.drain()
    assert mine.payload_json() is other.payload_json() is dashboard.payload_json()
    assert len({mine.cursor, other.cursor, dashboard.cursor}) == 3


def _state_with(count: int) -> dict[str, Any]:
    ids = [f"k{n}" for n in range(count)]
    columns = {"c": {"id": "c", "title": "Backlog", "cardIds": ids}}
    cards = {id: {"id": id, "title": id} for id in ids}
    return {"boardId": BOARD, "state": {"columns": columns, "columnOrder": ["c"], "cards": cards}}


async def test_states_of_a_batch_are_those_of_their_moments(node: Node, board: Board, subscribers: Subscribers) -> None:
    await publish(node, *(event("board.state.changed", _state_with(count)) for count in (1, 2, 3)))
    states, *_ = await subscribers.drain()
    assert _types(states) == ["state"] * 3
    assert [len(decoded(state)["cards"]) for state in states] == [1, 2, 3]


async def test_commands_of_one_request_make_one_state(node: Node, board: Board, subscribers: Subscribers) -> None:
    commands = [CreateCard(column_id=column_id(board.state, "Backlog"), title=f"{n}") for n in range(3)]
    done = await node.bus.execute(BOARD, *commands)
    (state,), *_ = await subscribers.drain()
    assert (state.type, state.cursor) == ("state", done.position.cursor)
    assert state.payload == State(done.board.state)
    async with aclosing(board_stream(node, BOARD, options=StreamOptions(after=_cursor_at(done.position, 1)))) as late:
        assert [(one.type, one.cursor) for one in (await take(late, 2))[1:]] == [("state", state.cursor)]


@pytest.mark.parametrize("delivery", [Delivery.CHANGES, Delivery.PATCH])
async def test_each_change_of_one_request_is_an_envelope(node: Node, board: Board, delivery: Delivery) -> None:
    options = StreamOptions(delivery=delivery)
    async with aclosing(board_stream(node, BOARD, options=options)) as stream:
        await take(stream, 2)
        made = CreateCard(column_id=column_id(board.state, "Backlog"), title="new")
        moved = MoveCard(card_id=made.card_id, to_column_id=column_id(board.state, "Review"), to_index=0)
        done = await node.bus.execute(BOARD, made, moved)
        received = await take(stream, 2)
    types = ["card_created", "card_moved"] if delivery is Delivery.CHANGES else ["patch"] * 2
    assert [one.type for one in received] == types
    assert received[-1].cursor == done.position.cursor


def _cursor_at(position: Position, offset: int) -> str:
    return position._replace(offset=offset).cursor


async def test_deleted_board_says_goodbye_then_ends_and_the_others_go_on(node: Node, subscribers: Subscribers) -> None:
    await publish(
        node,
        event("attempt.log.appended", SAMPLES["attempt.log.appended"]),
        event("project.deleted", {"projectId": "p1"}),
        event("agent.registered", {"agent": "A"}),
    )
    of_board, of_other, of_dashboard = await subscribers.drain()
    assert _types(of_board) == ["attempt_log", "goodbye"]
    assert decoded(of_board[1]) == {"reason": "board_deleted", "reconnectAfterMs": 0}
    async with deadline(5):
        with pytest.raises(BoardGone):
            await subscribers.board.get()
    assert _types(of_other) == _types(of_dashboard) == ["agent_registered"]
    assert node.views.get(BOARD) is None
    assert node.views.get(BoardId("p2")) is not None


async def test_board_deleted_and_made_anew_in_one_batch_ends_its_old_subscribers(
    node: Node, subscribers: Subscribers
) -> None:
    await publish(
        node,
        event("project.deleted", {"projectId": "p1"}),
        event("project.created", {"projectId": "p1", "name": "Again", "repositoryPath": "/r"}),
        event("attempt.log.appended", SAMPLES["attempt.log.appended"]),
    )
    of_board, *_ = await subscribers.drain()
    assert _types(of_board) == ["goodbye"]
    async with aclosing(board_stream(node, BOARD)) as stream:
        _, state = await take(stream, 2)
        assert state.cursor is not None
        assert parse_cursor(state.cursor).offset == 4


async def test_subscribers_of_each_delivery_get_theirs_and_share_all_else(node: Node, board: Board) -> None:
    queues = {delivery: Subscriber(1000) for delivery in Delivery}
    async with AsyncExitStack() as stack:
        for delivery, queue in queues.items():
            stream = board_stream(node, BOARD, queue, StreamOptions(delivery=delivery))
            await stack.enter_async_context(aclosing(stream))
            assert _types(await take(stream, 2)) == ["hello", "state"]
        await node.bus.execute(BOARD, CreateCard(column_id=column_id(board.state, "Backlog"), title="New"))
        await publish(node, event("agent.registered", {"agent": "A"}))
        await publish(node, event("git.commit.created", SAMPLES["git.commit.created"]))
        await publish(node, event("project.deleted", {"projectId": "p1"}))
        received = {delivery: await queued(queue) for delivery, queue in queues.items()}
    rest = ["agent_registered", "attempt_log", "git_commit", "goodbye"]
    assert {delivery: _types(envelopes) for delivery, envelopes in received.items()} == {
        Delivery.STATE: ["state", *rest],
        Delivery.CHANGES: ["card_created", *rest],
        Delivery.PATCH: ["patch", *rest],
    }
    assert len({envelopes[0].cursor for envelopes in received.values()}) == 1
    for one, *others in zip(*(envelopes[1:] for envelopes in received.values()), strict=True):
        assert all(other is one for other in others)


async def test_changes_of_one_event_have_a_cursor_each(node: Node, board: Board) -> None:
    queue = Subscriber(1000)
    async with aclosing(board_stream(node, BOARD, queue, StreamOptions(delivery=Delivery.CHANGES))) as stream:
        await take(stream, 2)
        cards = {id: {"id": id, "title": id} for id in "ab"}
        columns = {"x": {"id": "x", "title": "X", "cardIds": list(cards)}}
        state = {"columns": columns, "columnOrder": ["x"], "cards": cards}
        (accepted,) = await publish(node, event("board.state.changed", {"boardId": BOARD, "state": state}))
        received = await queued(queue)
    assert _types(received) == ["columns_changed", "card_created", "card_created"]
    positions = [parse_cursor(one.cursor) for one in received if one.cursor]
    assert [(one.offset, one.part) for one in positions] == [(1, 1), (1, 2), (2, 0)]
    assert received[-1].cursor == accepted.cursor


async def test_unwatched_board_costs_no_view_and_no_channel(node: Node, board: Board) -> None:
    await publish(node, *(event(name, SAMPLES[name], at=AT) for name in EVENT_NAMES if name != "project.deleted"))
    assert len(node.views) == 0
    assert node.hub.channels() == ()
