"""`boardcast export` and `import`: an installation, or one board, moves as JSON lines."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import aclosing
from typing import Any

import orjson
import pytest
from sqlalchemy import select

from realtime.backends.sql.migrate import newest_revision
from realtime.backends.sql.tables import events, projects
from realtime.backends.sql.upkeep import copying
from realtime.backends.sql.upkeep.row_lines import export_lines, import_lines
from realtime.errors import StoreUnusable
from realtime.kanban.commands import CreateCard
from realtime.kanban.ids import BoardId
from realtime.kanban.wire.board_wire import state_json
from realtime.messages.channels import board_channel
from realtime.messages.options import StreamOptions
from realtime.messages.position import Position, channel_tag
from tests.contract.postgres.test_copying import PIECE_ROWS, fill, rows_of, urls
from tests.contract.stored_tables import engine_of
from tests.contract.test_access_tokens import token
from tests.kit.deadline import deadline
from tests.kit.envelope_streams import board_stream
from tests.kit.nodes import BOARD, column_id, create_board, open_node, open_store, publish, take
from tests.kit.publishing import event

__all__ = ["urls"]  # a fixture

_LINE = {"boardId": BOARD, "attemptId": "a1", "level": "info", "message": "later"}


async def exported(url: str, board: str | None = None) -> list[bytes]:
    """Return the lines of a database."""
    lines: list[bytes] = []
    count = await export_lines(url, board, lines.append)
    assert orjson.loads(lines[-1]) == {"rows": count}
    assert count == len(lines) - 2
    return lines


@pytest.mark.parametrize("way", [("sqlite", "postgresql"), ("postgresql", "sqlite")])
async def test_installation_is_the_same_after_export_and_import(
    way: tuple[str, str], urls: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "PIECE_ROWS", PIECE_ROWS)
    source, target = map(urls, way)
    async with deadline(60):
        async with open_store(source) as store, open_node(store) as node:
            await fill(node)
            await store.put_access_token(token("a", key="k"))
        lines = await exported(source)
        assert await import_lines(target, lines) == ("an installation", len(lines) - 2)
        assert rows_of(target) == rows_of(source)
        assert await exported(target) == lines
        async with open_store(target) as store, open_node(store) as node:
            head = await store.offset(board_channel(BOARD))
            (accepted,) = await publish(node, event("attempt.log.appended", _LINE))
            assert accepted.offset == head + 1
        with pytest.raises(StoreUnusable, match="expected an empty database"):
            await import_lines(target, lines)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_board_moves_into_a_used_installation_and_begins_a_new_log(kind: str, urls: Callable[[str], str]) -> None:
    source, target = urls("source"), urls(kind)
    async with deadline(60):
        async with open_store(source) as store, open_node(store) as node:
            await fill(node)
            found = await store.board(BOARD)
            assert found is not None
        async with open_store(target) as store, open_node(store) as node:
            await create_board(node, "other")
            await publish(node, event("agent.registered", {"agent": "B", "label": "B"}))
        lines = await exported(source, BOARD)
        assert await import_lines(target, lines) == (f"the board '{BOARD}'", len(lines) - 3)
        async with open_store(target) as store, open_node(store) as node:
            moved = await store.board(BOARD)
            assert moved is not None
            assert state_json(moved.board.state) == state_json(found.board.state)
            assert (moved.board.attempts, moved.offset) == (found.board.attempts, found.offset + 1)
            old = Position(store.epoch, channel_tag(board_channel(BOARD)), 1, 0).cursor
            async with aclosing(board_stream(node, BOARD, options=StreamOptions(after=old))) as stream:
                _, gap, state = await take(stream, 3, units=20)
            assert (orjson.loads(gap.payload_json())["reason"], state.type) == ("history_expired", "state")
            card = CreateCard(column_id=column_id(moved.board.state, "Backlog"), title="new")
            assert (await node.bus.execute(BOARD, card)).position.offset > moved.offset
            assert await store.board(BoardId("other")) is not None
        with pytest.raises(StoreUnusable, match="expected a database without the board"):
            await import_lines(target, lines)


async def test_board_that_was_deleted_comes_back_behind_its_old_offsets(urls: Callable[[str], str]) -> None:
    url = urls("one")
    async with deadline(60):
        async with open_store(url) as store, open_node(store) as node:
            await fill(node)
        lines = await exported(url, BOARD)
        async with open_store(url) as store, open_node(store) as node:
            await publish(node, event("project.deleted", {"projectId": BOARD}))
            head = await store.offset(board_channel(BOARD))
        await import_lines(url, lines)
        async with open_store(url) as store:
            assert await store.offset(board_channel(BOARD)) == head + 1
    engine = engine_of(url)
    with engine.connect() as connection:
        left = connection.scalars(select(events.c.offset).where(events.c.channel == board_channel(BOARD))).all()
        assert connection.scalars(select(projects.c.id)).all() == [BOARD]
    engine.dispose()
    assert left == []


_HEAD = {"boardcast": "installation", "revision": newest_revision()}
_AGENT = {"key": "a", "sequence": 1}
_BAD: dict[str, tuple[list[Any], str]] = {
    "empty": ([], "line 1: expected JSON"),
    "no-head": ([{"table": "projects", "row": {}}], "line 1: expected what follows"),
    "other-version": ([{**_HEAD, "revision": "0001"}], ", got '0001'; import them"),
    "no-object": ([_HEAD, []], "line 2: expected an object, got list"),
    "unknown-table": ([_HEAD, {"table": "sqlite_master", "row": {}}], "line 2: expected {"),
    "counted": ([_HEAD, {"table": "attempt_counts", "row": {"kind": "x"}}], "attempt_counts is no table"),
    "unknown-column": ([_HEAD, {"table": "meta", "row": {"colour": 1}}], "line 2: meta has no column 'colour'"),
    "wrong-kind": (
        [_HEAD, {"table": "meta", "row": {"key": 1}}],
        "line 2: a value does not fit meta: key: expected str",
    ),
    "wrong-time": ([_HEAD, {"table": "projects", "row": {"created_at": "x"}}], "line 2: a value does not fit projects"),
    "no-history": ([_HEAD, {"table": "agents", "row": _AGENT}, {"rows": 1}], "none of the table meta"),
    "cut-off": ([_HEAD, {"table": "agents", "row": _AGENT}], "the end was cut off"),
    "too-few": ([_HEAD, {"table": "agents", "row": _AGENT}, {"rows": 2}], "line 3: expected '2' rows, got 1"),
    "wrong-number": ([_HEAD, {"rows": "all"}], "line 2: expected 'all' rows, got 0"),
    "two-exports": ([_HEAD, {"rows": 0}, _HEAD], "line 3: expected nothing behind"),
    "board-without-id": ([{**_HEAD, "boardcast": "board"}], "a board|the board"),
}


@pytest.mark.parametrize("case", _BAD)
async def test_line_that_does_not_fit_is_named_and_nothing_is_written(case: str, urls: Callable[[str], str]) -> None:
    content, said = _BAD[case]
    url = urls("target")
    async with deadline(20):
        with pytest.raises(StoreUnusable) as refused:
            await import_lines(url, [orjson.dumps(one) + b"\n" for one in content])
    assert any(one in str(refused.value) for one in said.split("|")), refused.value


async def test_rows_of_another_board_are_refused(urls: Callable[[str], str]) -> None:
    source, target = urls("source"), urls("target")
    async with deadline(30):
        async with open_store(source) as store, open_node(store) as node:
            await fill(node)
        async with open_store(target) as store, open_node(store) as node:
            await create_board(node, "other")
        lines = await exported(source, BOARD)
        before = rows_of(target)
        for foreign in ({"board_id": "other", "id": "x"}, {"board_id": 5}):
            wrong = [*lines[:-1], orjson.dumps({"table": "columns", "row": foreign}) + b"\n"]
            with pytest.raises(StoreUnusable, match=f"line {len(wrong)}: "):
                await import_lines(target, wrong)
        assert rows_of(target) == before
        with pytest.raises(StoreUnusable, match="there is none with the id 'none'"):
            await exported(source, "none")
