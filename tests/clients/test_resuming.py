"""The clients of docs/resuming.md, unchanged except for the address: the server restarts, and every hash is right.

They are written from the page alone. Each prints `loaded` for a whole state, and `right at <offset>` when the hash of
its copy is that of a heartbeat.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import orjson
import pytest
from anyio.streams.buffered import BufferedByteReceiveStream

from realtime.kanban.board import Board
from realtime.kanban.commands import CreateCard, DeleteCard, MoveCard, UpdateCard
from realtime.kanban.ids import BoardId
from realtime.kanban.models import TicketType
from tests.clients.requirements import SCRIPTS
from tests.clients.rest_client import open_board
from tests.clients.restartable import RestartableServer, restartable_server
from tests.kit.deadline import deadline
from tests.kit.live_server import LiveServer
from tests.kit.publishing import Publisher, event
from tests.live.test_readme import EXAMPLES

_COPY = EXAMPLES["The copy, js"]
_CLIENTS = [name for name in EXAMPLES if name.startswith("Resuming with ")]
#: Most lines of a client on Apollo's cache without its documents, with everything that it needs.
_MOST_LINES = 40
_STRANGE = '\u00e9 \u2028 / " \\ \x01\t\U0001f680 \uff21'


@asynccontextmanager
async def running(name: str, address: str, fresh: str | None = None) -> AsyncGenerator[BufferedByteReceiveStream]:
    """Run a client of the page; yield its output. `fresh` replaces its expression for the newest cursor."""
    source = EXAMPLES[name].replace("127.0.0.1:8000", address)
    if fresh is not None:
        source, count = re.subn(r"(?<=get after\(\) { return )copy\.cursor", fresh, source)
        assert count == 1
    command = [sys.executable, "-c", source]
    if name.endswith(", js"):
        command = ["node", "--input-type=module", "--eval", (_COPY if "new BoardCopy" in source else "") + source]
    process = await anyio.open_process(
        command,
        stdin=subprocess.DEVNULL,
        stderr=None,
        cwd=SCRIPTS,
        env={**os.environ, "NO_PROXY": "127.0.0.1"},
        start_new_session=True,
    )
    assert process.stdout is not None
    try:
        yield BufferedByteReceiveStream(process.stdout)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        with anyio.CancelScope(shield=True):
            await process.wait()
            await process.aclose()


async def until_right(output: BufferedByteReceiveStream, offset: int) -> list[str]:
    """Return the lines up to the first that is right at `offset` or later. No line may say that a hash is wrong."""
    lines: list[str] = []
    async with deadline(25):
        while True:
            lines.append((await output.receive_until(b"\n", 10_000)).decode())
            right = re.fullmatch(r"right at (\d+)", lines[-1])
            assert right or lines[-1] == "loaded", lines
            if right and int(right[1]) >= offset:
                return lines


async def change_everything(server: RestartableServer, board_id: str) -> int:
    """Make each kind of change; return the offset of the last one."""
    bus, id = server.node.bus, BoardId(board_id)
    board = await _board(server, id)
    first, *_, last = board.state.columns
    card, other, third = (CreateCard(column_id=first, title=f"{n} {_STRANGE}") for n in range(3))
    await bus.execute(id, card, other, third)
    await bus.execute(id, UpdateCard(card_id=card.card_id, ticket_type=TicketType.FEAT, description=_STRANGE))
    await bus.execute(id, UpdateCard(card_id=card.card_id, depends_on=(other.card_id,)))
    await bus.execute(id, MoveCard(card_id=third.card_id, to_column_id=first, to_index=0))
    await bus.execute(id, MoveCard(card_id=other.card_id, to_column_id=last, to_index=0))
    executed = await bus.execute(id, DeleteCard(card_id=third.card_id))
    return executed.position.offset


async def replace_state(server: RestartableServer, board_id: str) -> int:
    """Replace the whole state, with strange keys; return the offset."""
    cards: dict[str, dict[str, Any]] = {
        id: {"id": id, "title": id, "githubIssue": {"issueNumber": 2**53 - 1, "url": "u"}, "prUrl": "p"}
        for id in ("b", "\uff21", "\U0001f680", "A")
    }
    cards["b"] |= {"description": "", "prUrl": "", "ticketKey": "", "ticketType": "fix", "dependsOn": []}
    columns = {
        "\U0001f680": {"id": "\U0001f680", "title": "Z", "cardIds": list(cards)},
        "\uff21": {"id": "\uff21", "title": "Done", "cardIds": []},
    }
    state = {"columns": columns, "columnOrder": list(columns), "cards": cards}
    host, port = server.url.removeprefix("http://").split(":")
    await Publisher((host, int(port))).publish(event("board.state.changed", {"boardId": board_id, "state": state}))
    found = await server.node.store.board(BoardId(board_id))
    assert found is not None
    return found.offset


async def _board(server: RestartableServer, id: BoardId) -> Board:
    found = await server.node.store.board(id)
    assert found is not None
    return found.board


@pytest.mark.node
@pytest.mark.parametrize("name", _CLIENTS)
async def test_client_goes_on_after_restarts_and_every_hash_is_right(name: str, tmp_path: Path) -> None:
    async with restartable_server(tmp_path, heartbeat_seconds=0.2) as server, open_board(server.url) as board:
        id = board.board_id
        await change_everything(server, id)
        async with running(name, server.url.removeprefix("http://")) as output:
            lines = await until_right(output, await replace_state(server, id))
            assert lines[0] == "loaded"
            lines = await until_right(output, await change_everything(server, id))
            await server.restart()
            lines += await until_right(output, await change_everything(server, id))
            await server.crash()
            lines += await until_right(output, await replace_state(server, id))
            lines += await until_right(output, await change_everything(server, id))
    # It resumed: nothing was loaded again.
    assert "loaded" not in lines


@pytest.mark.node
async def test_client_that_repeats_its_first_cursor_skips_by_position(tmp_path: Path) -> None:
    name = "Resuming with graphql-ws, js"
    async with restartable_server(tmp_path, heartbeat_seconds=0.2) as server, open_board(server.url) as board:
        id = board.board_id
        repeated = "(globalThis.first ??= copy.cursor)"
        async with running(name, server.url.removeprefix("http://"), fresh=repeated) as output:
            await until_right(output, await change_everything(server, id))
            lines: list[str] = []
            for _ in range(3):  # the first cursor is that of the first restart
                await server.restart()
                lines += await until_right(output, await change_everything(server, id))
    assert "loaded" not in lines


_LATE = "Answers that come late, with Apollo Client, js"
_IMPORTS = """import { ApolloClient, ApolloLink, gql, HttpLink, InMemoryCache } from "@apollo/client";
import { RetryLink } from "@apollo/client/link/retry";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { OperationTypeNode } from "graphql";
import { createClient } from "graphql-ws";
import WebSocket from "ws";
"""


@pytest.mark.node
@pytest.mark.parametrize(("cache", "shown"), [("NewestCache", "newer"), ("InMemoryCache", "lost")])
async def test_answer_that_comes_late_leaves_newer_data(cache: str, shown: str, live: LiveServer) -> None:
    async with open_board(live.url) as board:
        cards = [await board.create_card(title) for title in ("one", "two")]
        made = f"{_IMPORTS}{EXAMPLES[_LATE]}\nconst cache = new {cache}();\n"
        source = made + (SCRIPTS / "late_answer.mjs").read_text(encoding="utf-8")
        command = ["node", "--input-type=module", "--eval", source, f"{live.url}/graphql", board.board_id, *cards]
        async with deadline(25):
            done = await anyio.run_process(command, cwd=SCRIPTS, stderr=None)
    found = {"tries": 2, "answered": "lost", "titles": [shown, "other"]}
    assert orjson.loads(done.stdout) == found


def test_page_has_a_client_for_each_library() -> None:
    libraries = {name.removeprefix("Resuming with ").partition(",")[0] for name in _CLIENTS}
    assert libraries == {"graphql-ws", "graphql-sse", "Apollo Client", "urql", "gql"}


def test_live_board_on_the_cache_of_apollo_is_short() -> None:
    example = EXAMPLES["Resuming with Apollo Client, js"]
    without_documents = re.sub(r"const [A-Z_]+ = (gql)?[`\"][^`\"]*[`\"];.*\n", "", example)
    lines = [line for line in without_documents.splitlines() if line.strip()]
    assert 10 < len(lines) <= _MOST_LINES
    assert max(map(len, lines)) <= 120
