"""Every call of a store, with arguments that find something in `large_tables`: for tests that watch its statements."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from realtime.backends.sql.reading.read_history import MANY_HEADS
from realtime.backends.sql.store import SqlStore
from realtime.backends.sql.writing.transaction import SqlTransaction
from realtime.dashboard.time_range import TimeRange, TimeRangePreset
from realtime.global_ids import tag_of
from realtime.kanban.attempts import QueueAttempt, StopAttempt
from realtime.kanban.commands import CreateCard, DeleteCard, MoveCard, UpdateCard
from realtime.kanban.grants import EVERYTHING
from realtime.kanban.ids import AttemptId, BoardId, CardId
from realtime.kanban.projects import DeleteProject, UpdateProject
from realtime.messages.channels import EVERYBODY, board_channel
from realtime.node import Node
from realtime.ports import AccessToken, Horizon, RequestKey, Span, StoredNode, StoredSession
from tests.kit.large_tables import BOARD, LAST, column_of
from tests.kit.nodes import create_board, open_node, publish
from tests.kit.publishing import event
from tests.unit.realtime.event_samples import SAMPLES

__all__ = ["CALLS", "UNIT_CALLS", "use_everything"]

_HERE = board_channel(BOARD)
_CARD, _ATTEMPT = CardId("k0-0"), AttemptId("a0")
_KEYS = [(BOARD, _ATTEMPT)]
_DIGEST = b"d" * 32
_TOKEN = AccessToken("t1", _DIGEST, "name", EVERYTHING, LAST)
_SESSION = StoredSession(_DIGEST, b"sealed", "client", LAST, LAST + timedelta(days=1))
_NODE = StoredNode("n1", "name", "1", "http://127.0.0.1:1", LAST, LAST, {})
_KEPT = Horizon(LAST - timedelta(days=1), 10_000)
_WINDOWS = [TimeRange(one).window(LAST) for one in TimeRangePreset]


async def _dashboards(store: SqlStore) -> None:
    for window in _WINDOWS:
        await store.dashboard_figures(window)


async def _heads(store: SqlStore) -> None:
    await store.heads([_HERE, EVERYBODY])
    await store.heads([board_channel(BoardId(f"b{number}")) for number in range(MANY_HEADS)])


async def _nodes(store: SqlStore) -> None:
    await store.nodes.put(_NODE, LAST)
    await store.nodes.all()
    await store.nodes.remove("n1")


#: Each public method of the store, and a call of it.
CALLS: dict[str, Callable[[SqlStore], Awaitable[Any]]] = {
    "access_tokens": lambda store: store.access_tokens(),
    "access_tokens_by_digest": lambda store: store.access_tokens_by_digest([_DIGEST]),
    "agents": lambda store: store.agents(),
    "attempt": lambda store: store.attempt(BOARD, _ATTEMPT),
    "attempts": lambda store: store.attempts(BOARD, _CARD),
    "attempts_by_key": lambda store: store.attempts_by_key(_KEYS),
    "attempts_of_cards": lambda store: store.attempts_of_cards([(BOARD, _CARD)]),
    "board": lambda store: store.board(BOARD),
    "boards_by_id": lambda store: store.boards_by_id([BOARD]),
    "boards_of_attempt": lambda store: store.boards_of_attempt(_ATTEMPT),
    "boards_of_tags": lambda store: store.boards_of_tags([tag_of(BOARD)]),
    "cards_by_key": lambda store: store.cards_by_key([(BOARD, _CARD)]),
    "conversation": lambda store: store.conversation(BOARD, _ATTEMPT, 0, 10),
    "conversation_pages": lambda store: store.conversation_pages(_KEYS, 0, 10),
    "dashboard_figures": _dashboards,
    "delete_access_token": lambda store: store.delete_access_token("t1"),
    "delete_session": lambda store: store.delete_session(_DIGEST),
    "event_page": lambda store: store.event_page(_HERE, 0, 10),
    "events": lambda store: store.events(_HERE, Span(0, 10, 0, 10), 10),
    "heads": _heads,
    "homes_of": lambda store: store.homes_of(_CARD),
    "logs": lambda store: store.logs(BOARD, _ATTEMPT, 0, 10),
    "log_pages": lambda store: store.log_pages(_KEYS, 0, 10),
    "note_token_uses": lambda store: store.note_token_uses({"t1": LAST}),
    "offset": lambda store: store.offset(_HERE),
    "past_board": lambda store: store.past_board(BOARD, 3),
    "ping": lambda store: store.ping(),
    "project": lambda store: store.project(BOARD),
    "projects": lambda store: store.projects(),
    "projects_by_id": lambda store: store.projects_by_id([BOARD]),
    "prunable": lambda store: store.prunable(_KEPT),
    "prune": lambda store: store.prune(_HERE, Horizon(LAST - timedelta(days=1), 10), 2),
    "pruned": lambda store: store.pruned(_HERE),
    "put_access_token": lambda store: store.put_access_token(_TOKEN, ["t0"]),
    "put_session": lambda store: store.put_session(_SESSION, [b"e" * 32]),
    "sessions": lambda store: store.sessions(),
    "sessions_by_digest": lambda store: store.sessions_by_digest([_DIGEST]),
    "todos": lambda store: store.todos(BOARD, _ATTEMPT),
    "todos_of_attempts": lambda store: store.todos_of_attempts(_KEYS),
}
#: Each method of a write unit that reads or locks; `append` and `remember` run with each event and command below.
UNIT_CALLS: dict[str, Callable[[SqlTransaction], Any]] = {
    "board": lambda unit: unit.board(BOARD),
    "known_boards": lambda unit: unit.known_boards([BOARD]),
    "boards_of_tags": lambda unit: unit.boards_of_tags([tag_of(BOARD)]),
    "board_count": lambda unit: unit.board_count(),
    "agent_keys": lambda unit: unit.agent_keys(),
    "profile_ids": lambda unit: unit.profile_ids(),
    "lock": lambda unit: unit.lock([_HERE]),
    "offset": lambda unit: unit.offset(_HERE),
    "missed": lambda unit: unit.missed(BOARD, 0, 10),
    "answered": lambda unit: unit.answered([RequestKey(_HERE, "me", "key")]),
}


async def use_everything(store: SqlStore) -> None:
    """Call every method of the store, and write every event and every command."""
    for call in CALLS.values():
        await call(store)
    await _nodes(store)
    for unit_call in UNIT_CALLS.values():
        await store.transact(unit_call)
    await store.boards_of_attempt(_ATTEMPT, [BOARD])
    await store.homes_of(_CARD, [BOARD])
    async with open_node(store) as node:
        await create_board(node, "p1")
        for name, payload in sorted(SAMPLES.items(), key=lambda one: one[0] == "project.deleted"):  # that at the end
            await publish(node, event(name, payload))
        await _command(node)


async def _command(node: Node) -> None:
    await node.bus.execute(BOARD, CreateCard(column_id=column_of(BOARD, 0), title="t"))
    key = RequestKey(_HERE, "me", "key")
    await node.bus.execute(BOARD, UpdateCard(card_id=_CARD, title="other"), key=key)
    await node.bus.execute(BOARD, UpdateCard(card_id=_CARD, title="other"), key=key)
    await node.bus.execute(BOARD, MoveCard(card_id=_CARD, to_column_id=column_of(BOARD, 1), to_index=0))
    await node.bus.execute(BOARD, QueueAttempt(card_id=_CARD, agent="CODEX"))
    newest = max(await node.store.attempts(BOARD, _CARD), key=lambda attempt: attempt.created_at)
    await node.bus.execute(BOARD, StopAttempt(attempt_id=newest.id))
    await node.bus.execute(BOARD, DeleteCard(card_id=_CARD))
    await node.bus.execute(BOARD, UpdateProject(name="New"))
    await node.bus.execute(BoardId("b1"), DeleteProject())
