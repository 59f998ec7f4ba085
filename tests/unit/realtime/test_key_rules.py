"""The rules of idempotency keys against a model: random requests on two boards, which are pruned and restarted."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any, NamedTuple, TypeVar

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from realtime.backends.memory import MemoryBroker
from realtime.backends.sql.store import SqlStore
from realtime.errors import KeyReused, Refused
from realtime.kanban.board import Board
from realtime.kanban.commands import Command, CreateCard, DeleteCard, MoveCard, UpdateCard
from realtime.kanban.ids import BoardId
from realtime.messages.channels import board_channel
from realtime.node import Limits, Node, make_node
from realtime.ports import Horizon
from realtime.service import Accepted, Caller, Executed, Service
from tests.kit.deadline import deadline
from tests.kit.nodes import SteppingClock, column_id, create_board, incoming, open_store
from tests.kit.publishing import event

_EXAMPLES, _STEPS = 40, 40
_STEP_UNITS = 20
_BOARDS = (BoardId("p1"), BoardId("p2"))
_T = TypeVar("_T")

_subjects = st.sampled_from(["", "token"])
_boards = st.sampled_from(_BOARDS)
_keys = st.sampled_from([None, "k1", "k2", "k3"])
_cards = st.sampled_from(["c1", "c2"])
_titles = st.sampled_from(["one", "two"])


class _Key(NamedTuple):
    subject: str
    board_id: BoardId
    text: str


class _First(NamedTuple):
    """The first request under a key, its answer, the offset before it, and a function that repeats it."""

    request: object
    answer: object
    after: int
    ask: Callable[[], Awaitable[object]]


class KeyMachine(RuleBasedStateMachine):
    """Requests of two subjects on two boards; the model has the first answer under each key."""

    def __init__(self, portal: BlockingPortal) -> None:
        super().__init__()
        self._portal = portal
        self._stack = AsyncExitStack()
        self._store: SqlStore
        self._node: Node
        self._made: dict[BoardId, Board] = {}
        self._known: dict[_Key, _First] = {}
        self._offsets: dict[BoardId, int] = {}

    @initialize()
    def begin(self) -> None:
        """Make the boards."""
        self._do(self._begin)

    @rule(subject=_subjects, board_id=_boards, key=_keys, card=_cards, title=_titles)
    def create(self, subject: str, board_id: BoardId, key: str | None, card: str, title: str) -> None:
        """Create a card; its id may be taken."""
        column = column_id(self._made[board_id].state, "Backlog")
        self._command(subject, board_id, key, CreateCard(column_id=column, title=title, id=card))

    @rule(subject=_subjects, board_id=_boards, key=_keys, title=_titles)
    def create_anywhere(self, subject: str, board_id: BoardId, key: str | None, title: str) -> None:
        """Create a card whose id the server chooses."""
        column = column_id(self._made[board_id].state, "Review")
        self._command(subject, board_id, key, CreateCard(column_id=column, title=title))

    @rule(subject=_subjects, board_id=_boards, key=_keys, card=_cards, title=_titles)
    def rename(self, subject: str, board_id: BoardId, key: str | None, card: str, title: str) -> None:
        """Rename a card, perhaps to its own title."""
        self._command(subject, board_id, key, UpdateCard(card_id=card, title=title))

    @rule(subject=_subjects, board_id=_boards, key=_keys, card=_cards, index=st.integers(0, 1), title=_titles)
    def move(self, subject: str, board_id: BoardId, key: str | None, card: str, index: int, title: str) -> None:
        """Rename and move a card in one request."""
        column = column_id(self._made[board_id].state, "Review")
        place = MoveCard(card_id=card, to_column_id=column, to_index=index)
        self._command(subject, board_id, key, UpdateCard(card_id=card, title=title), place)

    @rule(subject=_subjects, board_id=_boards, key=_keys, card=_cards)
    def delete(self, subject: str, board_id: BoardId, key: str | None, card: str) -> None:
        """Delete a card."""
        self._command(subject, board_id, key, DeleteCard(card_id=card))

    @rule(subject=_subjects, board_id=_boards, key=_keys, message=_titles)
    def report(self, subject: str, board_id: BoardId, key: str | None, message: str) -> None:
        """Report an event, with the key as its id."""
        payload = {"attemptId": "a", "boardId": board_id, "level": "info", "message": message}
        sent = event("attempt.log.appended", payload)

        async def ask() -> Accepted:
            batch = incoming(sent if key is None else {**sent, "id": key})
            (accepted,) = await Service(self._node).events.ingest(Caller("c", subject), batch)
            return accepted._replace(duplicate=False)

        self._ask(subject, board_id, key, sent, ask)

    @rule(chosen=st.integers(0, 9))
    def repeat(self, chosen: int) -> None:
        """Send a first request again."""
        if self._known:
            first = list(self._known.values())[-1 - chosen % len(self._known)]
            assert self._answer(first.ask) == first.answer

    @rule(board_id=_boards, newest=st.integers(0, 5))
    def prune(self, board_id: BoardId, newest: int) -> None:
        """Forget all but the newest events of a board."""
        self._do(self._store.prune, board_channel(board_id), Horizon(newest_events=newest), 10_000)
        cut = self._do(self._store.pruned, board_channel(board_id))
        gone = [key for key, first in self._known.items() if key.board_id == board_id and first.after < cut]
        for key in gone:
            del self._known[key]

    @rule()
    def restart(self) -> None:
        """Begin with a node that has nothing in memory."""
        self._do(self._restart)

    @invariant()
    def log_has_each_request_once(self) -> None:
        """Compare the length of each log with the events of the first requests."""
        for board_id, offset in self._offsets.items():
            assert self._do(self._store.offset, board_channel(board_id)) == offset

    def teardown(self) -> None:
        """Close the store."""
        self._do(self._node.bus.aclose)
        self._do(self._stack.aclose)

    def _command(self, subject: str, board_id: BoardId, key: str | None, *commands: Command) -> None:
        async def ask() -> object:
            service, caller = Service(self._node), Caller("c", subject)
            pair = (service.boards.execute(caller, board_id, *commands, key=key) for _ in range(2 if key else 1))
            answers = [_facts(one) for one in await asyncio.gather(*pair, return_exceptions=True)]
            assert answers[0] == answers[-1]
            return answers[0]

        # The id of a card that the server chooses is in no fingerprint.
        request = [(type(one), one.model_dump(exclude={"new_id"}), one.model_fields_set) for one in commands]
        self._ask(subject, board_id, key, request, ask)

    def _ask(
        self, subject: str, board_id: BoardId, key: str | None, request: object, ask: Callable[[], Awaitable[object]]
    ) -> None:
        place = None if key is None else _Key(subject, board_id, key)
        first = None if place is None else self._known.get(place)
        if first is not None:
            expected = first.answer if first.request == request else KeyReused.code
            assert self._answer(ask) == expected
            return
        answer, before = self._answer(ask), self._offsets[board_id]
        assert answer != KeyReused.code
        self._offsets[board_id] = self._do(self._store.offset, board_channel(board_id))
        if isinstance(answer, str):
            assert self._offsets[board_id] == before
        elif place is not None:
            self._known[place] = _First(request, answer, before, ask)

    def _answer(self, ask: Callable[[], Awaitable[object]]) -> object:
        try:
            return self._do(ask)
        except Refused as refused:
            return refused.code

    async def _begin(self) -> None:
        self._store = await self._stack.enter_async_context(open_store())
        self._node = await _node(self._store)
        for board_id in _BOARDS:
            self._made[board_id] = await create_board(self._node, board_id)
            self._offsets[board_id] = 1

    async def _restart(self) -> None:
        await self._node.bus.aclose()
        self._node = await _node(self._store)

    def _do(self, step: Callable[..., Awaitable[_T]], *arguments: Any) -> _T:
        async def run() -> _T:
            async with deadline(_STEP_UNITS):
                return await step(*arguments)

        return self._portal.call(run)


async def _node(store: SqlStore) -> Node:
    # Not `open_node`, which would find the task of the test's own step.
    return await make_node(store, MemoryBroker(), SteppingClock(), Limits())


def _facts(answer: Executed | BaseException) -> object:
    """Return what a client sees of an answer: state, position and events, or the code of a refusal."""
    if isinstance(answer, Refused):
        return answer.code
    if isinstance(answer, BaseException):
        raise answer
    return answer.board.state, answer.position, answer.recorded


@pytest.mark.timeout(600)
def test_each_request_happens_once_under_its_key() -> None:
    with start_blocking_portal("asyncio") as portal:
        run_state_machine_as_test(
            lambda: KeyMachine(portal),  # type: ignore[arg-type]  # any callable that returns a machine works
            settings=settings(
                max_examples=_EXAMPLES,
                stateful_step_count=_STEPS,
                deadline=None,
                database=None,
                suppress_health_check=list(HealthCheck),
                phases=[Phase.generate, Phase.shrink],
            ),
        )
