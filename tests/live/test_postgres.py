"""The server on PostgreSQL: boards at all exits, `kill -9` and a cursor that goes on, a database that is away."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import anyio.lowlevel
import orjson

from tests.kit.deadline import deadline
from tests.kit.graphql_socket import open_subscription
from tests.kit.postgres_server import running_postgres
from tests.kit.publishing import Publisher, event
from tests.kit.raw_http import Address, Answer, exchange
from tests.live.boards import BOARD, TODO, make_boards
from tests.live.command import ended, running
from tests.live.raw_board import RAW_EXITS, open_board

_EVENTS = """subscription ($board: ID!, $after: String) {
  boardEvents(boardId: $board, after: $after) { __typename ... on StreamEvent { cursor } }
}"""
_GRAPHQL = "graphql"


async def _create(address: Address, title: str) -> Answer:
    body = orjson.dumps({"columnId": TODO, "title": title})
    return await exchange(address, "POST", f"/api/v1/boards/{BOARD}/cards", body)


async def _cursors(address: Address, exit: str, after: str, last: str) -> list[str]:
    """Return the cursors that a subscriber gets at an exit, up to `last`."""
    found: list[str] = []
    async with deadline(20):
        if exit == _GRAPHQL:
            async with open_subscription(address, _EVENTS, {"board": BOARD, "after": after}) as socket:
                while last not in found:
                    found.append((await socket.data())["boardEvents"]["cursor"])
        else:
            async with open_board(address, exit, after=after) as raw:
                while last not in found:
                    found.append((await raw.envelope()).cursor or "")
    return found


async def test_cursor_of_each_exit_goes_on_after_a_kill(tmp_path: Path, postgres_url: str) -> None:
    exits = (*RAW_EXITS, _GRAPHQL)
    flags = ("--database-url", postgres_url)
    async with running(tmp_path, *flags) as server, deadline(60):
        await make_boards(server.address)
        (begin,) = await Publisher(server.address).publish(_line("begin"))
        assert (await _create(server.address, "before")).status == 201
        assert "tests:***@127.0.0.1" in server.errors.read_text()
        server.send_signal(signal.SIGKILL)
        await server.wait()
        assert "secret" not in server.errors.read_text()
    async with running(tmp_path, *flags) as server, deadline(60):
        assert (await _create(server.address, "after")).status == 201
        (last,) = await Publisher(server.address).publish(_line("last"))
        for exit in exits:
            _, *missed = await _cursors(server.address, exit, begin, last)
            offsets = [int(cursor.split("-")[2]) for cursor in missed]
            assert offsets == sorted(offsets)
            # Each card is a note of the board and its new state.
            assert set(offsets) == {int(begin.split("-")[2]) + n for n in (2, 4, 5)}


async def test_database_that_is_away_is_named_and_comes_back(tmp_path: Path) -> None:
    with running_postgres() as database:
        async with running(tmp_path, "--database-url", database.url("postgres")) as server, deadline(60):
            address = server.address
            await make_boards(address)
            async with open_board(address, "board-sse") as subscriber:
                while (await subscriber.envelope()).type != "state":
                    pass
                database.stop()
                refused = await _create(address, "away")
                assert refused.status == 503
                assert refused.header("Retry-After") is not None
                ready = await exchange(address, "GET", "/api/v1/readyz")
                assert ready.status == 503
                for answer in (refused, ready):
                    assert b"SELECT" not in answer.body
                    assert b"secret" not in answer.body
                database.start()
                await _ready(address)
                assert (await _create(address, "back")).status == 201
                while "back" not in str((await subscriber.envelope()).payload):
                    pass
        assert "secret" not in server.errors.read_text()


async def test_clients_resume_on_the_copy_of_an_installation(tmp_path: Path, postgres_url: str) -> None:
    async with running(tmp_path) as server, deadline(60):
        await make_boards(server.address)
        (begin,) = await Publisher(server.address).publish(_line("begin"))
        (last,) = await Publisher(server.address).publish(_line("last"))
        used = await ended(tmp_path, "copy", "--from", "sqlite:///./boardcast.db", "--to", postgres_url)
        assert (used.code, used.out, used.err.count("\n")) == (2, "", 1)
        assert "in use by process" in used.err
        server.send_signal(signal.SIGTERM)
        await server.wait()
    copied = await ended(tmp_path, "copy", "--from", "sqlite:///./boardcast.db", "--to", postgres_url)
    assert (copied.code, copied.out, copied.err) == (0, "copied 2 boards and 6 events\n", "")
    async with running(tmp_path, "--database-url", postgres_url) as server, deadline(60):
        for exit in (*RAW_EXITS, _GRAPHQL):
            assert (await _cursors(server.address, exit, begin, last))[-1] == last
        assert (await _create(server.address, "after")).status == 201


async def test_copy_of_a_database_that_a_server_uses_ends_with_one_line(tmp_path: Path, postgres_url: str) -> None:
    (tmp_path / "second").mkdir()
    async with running(tmp_path, "--database-url", postgres_url):
        end = await ended(tmp_path / "second", "copy", "--from", postgres_url, "--to", "sqlite:///./copy.db")
    assert end.code == 2
    assert "a server, or a command for tokens, is using the database" in end.err
    assert end.err.count("\n") == 1
    assert "secret" not in end.err


async def test_server_without_the_driver_ends_with_one_line(tmp_path: Path) -> None:
    hidden = tmp_path / "hidden" / "psycopg"
    hidden.mkdir(parents=True)
    (hidden / "__init__.py").write_text("raise ImportError('no driver')")
    root = Path(__file__).parents[2]
    env = {"PYTHONPATH": f"{hidden.parent}:{root}"}
    end = await ended(tmp_path, "--port", "0", "--database-url", "postgresql://h/d", env=env)
    assert (end.code, end.out) == (2, "")
    assert end.err == (
        "boardcast: a database URL with postgresql:// needs more packages: pip install 'boardcast[postgres]'\n"
    )


async def _ready(address: Address) -> None:
    while (await exchange(address, "GET", "/api/v1/readyz")).status != 200:
        await anyio.lowlevel.checkpoint()


def _line(message: str) -> dict[str, Any]:
    line = {"attemptId": "a1", "boardId": BOARD, "level": "info", "message": message}
    return event("attempt.log.appended", line)
