"""`server/static/boardcast.js` in Node.js: it keeps a right copy of a board, whatever happens to its connection."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest

from realtime.kanban.ids import BoardId
from realtime.lifetimes.goodbyes import RECONNECT_MS
from realtime.messages.channels import board_channel
from tests.clients.cut_proxy import open_proxy
from tests.clients.faulty_proxy import open_faulty_proxy
from tests.clients.lossy_proxy import open_lossy_proxy
from tests.clients.node_script import NodeScript, Report, run_script
from tests.clients.rest_client import BoardClient, open_board
from tests.clients.restartable import restartable_server
from tests.kit.deadline import deadline
from tests.kit.live_server import LiveServer, live_server

pytestmark = [pytest.mark.node, pytest.mark.timeout(240)]
EXITS = pytest.mark.parametrize("exit", ["websocket", "sse"])
_HEARTBEAT = 0.2
MAX_PAUSE_MS = 200
#: Keys that are special in JavaScript, and texts that are special in the canonical form.
_STRANGE = ("constructor", "__proto__", "10", "9", "\uff21", "\U0001f680", 'Ü "\\\u2028\x7f\x01')


@asynccontextmanager
async def running(url: str, exit: str, board: BoardClient | None, **more: object) -> AsyncGenerator[NodeScript]:
    """Run the client until the block ends; None = that of the dashboard."""
    settings = {
        "url": url,
        "exit": exit,
        "maxPauseMs": MAX_PAUSE_MS,
        **more,
        **({} if board is None else {"boardId": board.board_id}),
    }
    async with run_script("boardcast_client.mjs", settings) as script:
        yield script


@pytest.fixture
async def live(clients_present: None) -> AsyncGenerator[LiveServer]:
    """A server with frequent heartbeats."""
    async with live_server(heartbeat_seconds=_HEARTBEAT) as server:
        yield server


def _read(state: Any) -> Any:
    return json.loads(json.dumps(state), parse_int=float)


async def check_until_right(script: NodeScript, board: BoardClient) -> None:
    """Wait until the copy is the board's state. A heartbeat then confirms it."""
    wanted, copy = _read(await board.state()), None
    async with deadline(60):
        while copy != wanted:
            await script.wait_for("checked")
            await script.order("show")
            copy = _read((await script.wait_for("copy"))["state"])
        assert (await script.wait_for("checked"))["isRight"] is True


async def change_at_random(board: BoardClient, random: Random, count: int) -> None:
    """Change the board by so many random commands, and once by a state that somebody reports."""
    path = f"/api/v1/boards/{board.board_id}/cards"
    for _ in range(count):
        cards = list((await board.state())["cards"])
        column = random.choice(board.column_ids[:3])
        match random.choice(("create", "update", "move", "delete", "create")) if cards else "create":
            case "create":
                body = {"columnId": column, "title": random.choice(_STRANGE)}
                answer = await board.http.post(path, json=body)
            case "update":
                changes = {"description": random.choice((None, "text")), "isEnhanced": random.random() < 0.5}
                answer = await board.http.patch(f"{path}/{random.choice(cards)}", json=changes)
            case "move":
                place = {"columnId": column, "index": random.randrange(4)}
                answer = await board.http.patch(f"{path}/{random.choice(cards)}", json=place)
            case _:
                answer = await board.http.delete(f"{path}/{random.choice(cards)}")
        answer.raise_for_status()


async def replace_state(board: BoardClient) -> None:
    """Report a state with strange ids, then the columns of before without a card."""
    cards = {id: {"id": id, "title": id, "githubIssue": {"issueNumber": 2**53 - 1, "url": "u"}} for id in _STRANGE}
    columns = {id: {"id": id, "title": id, "cardIds": []} for id in (*_STRANGE, *board.column_ids)}
    columns[_STRANGE[1]]["cardIds"] = list(cards)
    for kept in (cards, {}):
        if not kept:
            columns = {id: {**columns[id], "cardIds": []} for id in board.column_ids}
        await board.publish(
            "board.state.changed", state={"columns": columns, "columnOrder": list(columns), "cards": kept}
        )


def _events(script: NodeScript, type: str) -> list[Report]:
    return [one for one in script.reports if one["at"] == "event" and one["type"] == type]


def _reasons(script: NodeScript) -> list[str]:
    return [one["reason"] for one in script.reports if one["at"] == "status" and one["status"] == "reconnecting"]


@EXITS
@pytest.mark.parametrize("seed", range(3))
async def test_copy_is_right_after_random_commands_and_restarts(exit: str, seed: int, tmp_path: Path) -> None:
    random = Random(seed)
    async with (
        restartable_server(tmp_path, heartbeat_seconds=_HEARTBEAT) as server,
        open_board(server.url) as board,
        running(server.url, exit, board) as script,
    ):
        await script.wait_for("status", status="live")
        for end in (server.restart, server.crash, None):
            await change_at_random(board, random, 15)
            await check_until_right(script, board)
            await replace_state(board)
            await check_until_right(script, board)
            if end is not None:
                await end()
        await script.finish()
    # It has resumed: the board was loaded once, and never wrong.
    assert len(_events(script, "state")) == 1
    assert all(report["isRight"] for report in script.reports if report["at"] == "checked")
    # It has waited as long as the server asked for: the pauses of these clients are shorter.
    (left,) = [report for report in script.reports if report.get("reason") == "server_shutdown" and "pauseMs" in report]
    assert left["pauseMs"] >= RECONNECT_MS[0] > MAX_PAUSE_MS


@EXITS
async def test_copy_is_right_behind_a_proxy_that_cuts(exit: str, live: LiveServer) -> None:
    random = Random(7)
    async with (
        open_board(live.url) as board,
        open_proxy(live.url) as proxy,
        running(proxy.url, exit, board) as script,
    ):
        await script.wait_for("checked")  # then the client has a position
        for _ in range(5):
            await change_at_random(board, random, 3)
            assert proxy.cut() > 0
            await change_at_random(board, random, 3)
            await script.wait_for("status", status="live")
        await check_until_right(script, board)
        await script.finish()
    assert len(_events(script, "state")) == 1
    assert set(_reasons(script)) == {"lost"}


async def test_each_command_happens_once_although_answers_are_lost(live: LiveServer) -> None:
    titles = [f"Card {n}" for n in range(15)]
    async with (
        open_board(live.url) as board,
        open_lossy_proxy(live.url, seed=3) as proxy,
        running(proxy.url, "websocket", board) as script,
    ):
        for title in titles:
            payload = {"columnId": board.column_ids[0], "title": title}
            await script.order("send", type="create_card", payload=payload, name=title)
            await script.wait_for("done", name=title, units=120)
        await script.order("send", type="delete_card", payload={"cardId": "none"}, name="last")
        assert (await script.wait_for("refused", units=120))["code"] == "card_not_found"
        state = await board.state()
    assert board.titles(state, 0) == titles
    page = await live.node.store.event_page(board_channel(BoardId(board.board_id)), 0, 1000)
    assert [event.name for _, event in page.entries].count("card.created") == len(titles)
    assert proxy.lost > len(titles)


async def test_refusal_belongs_to_its_command(live: LiveServer) -> None:
    async with open_board(live.url) as board, running(live.url, "websocket", board) as script:
        wrong, right = {"cardId": "none"}, {"columnId": board.column_ids[0], "title": "Right"}
        for name, type, payload in (
            ("1", "delete_card", wrong),
            ("2", "create_card", right),
            ("3", "create_card", {**right, "title": ""}),
            ("4", "create_card", right),
        ):
            await script.order("send", type=type, payload=payload, name=name)
        await script.wait_for("done", name="4")
        answers = [one for one in script.reports if one["at"] in {"done", "refused"}]
        assert [(one["name"], one.get("code")) for one in answers] == [
            *(("1", "card_not_found"), ("2", None)),
            *(("3", "invalid_payload"), ("4", None)),
        ]
        await script.order("close")
        await script.wait_for("closed")
        await script.order("send", type="create_card", payload=right, name="late")
        assert (await script.wait_for("refused", name="late"))["code"] == "closed"


async def test_sse_carries_no_commands(live: LiveServer) -> None:
    async with open_board(live.url) as board, running(live.url, "sse", board) as script:
        await script.order("send", type="delete_card", payload={"cardId": "none"}, name="any")
        assert (await script.wait_for("refused"))["code"] == "no_websocket"


@EXITS
@pytest.mark.parametrize("status", [404, 502])
async def test_failure_of_a_proxy_is_no_end(exit: str, status: int, live: LiveServer) -> None:
    async with (
        open_board(live.url) as board,
        open_faulty_proxy(live.url) as proxy,
        running(proxy.url, exit, board) as script,
    ):
        await script.wait_for("checked")
        proxy.status = status
        proxy.cut()
        for _ in range(3):
            await script.wait_for("status", status="reconnecting", reason="unavailable")
        await board.create_card("Made meanwhile")
        proxy.status = None
        await script.wait_for("event", type="card_created", title="Made meanwhile")
        await check_until_right(script, board)
    assert len(_events(script, "state")) == 1


@EXITS
async def test_retry_after_is_kept(exit: str, live: LiveServer) -> None:
    async with open_board(live.url) as board, open_faulty_proxy(live.url) as proxy:
        proxy.status, proxy.retry_after = 503, 1
        async with running(proxy.url, exit, board) as script:
            away = await script.wait_for("status", status="reconnecting", reason="unavailable")
            assert away["pauseMs"] >= 1000
            proxy.status = None
            await script.wait_for("status", status="live")


@EXITS
async def test_cursor_that_the_server_does_not_know_is_dropped(exit: str, live: LiveServer) -> None:
    async with (
        open_board(live.url) as board,
        open_faulty_proxy(live.url) as proxy,
        running(proxy.url, exit, board) as script,
    ):
        start = (await script.wait_for("checked"))["cursor"].encode()[:8]
        proxy.alteration = (start, b"no curso")
        await script.wait_for("checked")
        while proxy.has_fault_to_come():
            await script.wait_for("checked")
        proxy.cut()
        await script.wait_for("status", status="reconnecting", reason="invalid_cursor")
        await script.wait_for("event", type="state")
        await check_until_right(script, board)


@EXITS
async def test_quiet_stream_is_left(exit: str, live: LiveServer) -> None:
    async with (
        open_board(live.url) as board,
        open_faulty_proxy(live.url) as proxy,
        running(proxy.url, exit, board) as script,
    ):
        await script.wait_for("checked")
        proxy.hush()
        await board.create_card("Not heard")
        await script.wait_for("status", status="reconnecting", reason="quiet")
        await script.wait_for("event", type="card_created", title="Not heard")
        await check_until_right(script, board)


@EXITS
async def test_wrong_copy_is_loaded_again(exit: str, live: LiveServer) -> None:
    async with (
        open_board(live.url) as board,
        open_faulty_proxy(live.url) as proxy,
        running(proxy.url, exit, board) as script,
    ):
        await script.wait_for("checked", isRight=True)
        proxy.alteration = (b"The title", b"Any title")
        await board.create_card("The title")
        await script.wait_for("event", type="card_created", title="Any title")
        await script.wait_for("status", status="reconnecting", reason="wrong_copy")
        await script.wait_for("event", type="state")
        await check_until_right(script, board)


@EXITS
async def test_opening_that_was_cut_begins_again(exit: str, live: LiveServer) -> None:
    async with open_board(live.url) as board, open_faulty_proxy(live.url) as proxy:
        for number in range(3):
            await board.queue_attempt(f"att-{number}", await board.create_card(f"Card {number}"))
        proxy.cut_before = b"attempt_status"
        async with running(proxy.url, exit, board) as script:
            await script.wait_for("checked", isRight=True)
            await board.change_status("att-1", next(iter((await board.state())["cards"])), "running")
            await script.wait_for("event", type="attempt_status", status="running", isOpening=False)
    assert not proxy.has_fault_to_come()
    opening = [one["attemptId"] for one in _events(script, "attempt_status") if one["isOpening"]]
    assert opening[-3:] == ["att-2", "att-1", "att-0"]


@EXITS
async def test_dashboard_comes_back(exit: str, tmp_path: Path) -> None:
    async with (
        restartable_server(tmp_path) as server,
        open_board(server.url) as board,
        running(server.url, exit, None) as script,
    ):
        await script.wait_for("overview", active=0)
        await server.restart()
        await script.wait_for("status", status="live")
        await board.queue_attempt("att-1", await board.create_card("Card"))
        await script.wait_for("overview", active=1)
        await script.finish()
    assert set(_reasons(script)) == {"server_shutdown"}
