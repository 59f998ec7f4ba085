"""The page at `/` in Chromium: search, shortcuts, boards, refused changes, touch, phones, many cards, accessibility."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.clients.node_script import NodeScript, run_script
from tests.clients.rest_client import BoardClient
from tests.clients.visit import START_UNITS, check_access, check_end_inside, settings_for

# A browser on a busy machine needs longer than the other tests.
pytestmark = [pytest.mark.chromium, pytest.mark.timeout(300)]

_MANY = 2_000
_NAMES = "#boards a"


@asynccontextmanager
async def _visit(server_url: str, board: BoardClient) -> AsyncGenerator[NodeScript]:
    async with run_script("board_page.mjs", settings_for(server_url, board)) as script:
        await script.order("open", path=f"/#{board.board_id}")
        await script.wait_for("opened", units=START_UNITS)
        yield script
        await check_end_inside(script, server_url)


async def _see(script: NodeScript, selector: str, text: str = "", state: str = "visible") -> None:
    await script.order("expect", selector=selector, text=text, state=state)
    await script.wait_for("there")


async def _see_texts(script: NodeScript, selector: str, *texts: str) -> None:
    await script.order("expectTexts", selector=selector, texts=texts)
    await script.wait_for("texts")


async def test_board_is_searched_refuses_and_lists_boards_live(server_url: str, board: BoardClient) -> None:
    first = await board.create_card("Paint the fence")
    await board.create_card("Mend the gate", column=1)
    done = await board.create_card("Mow the lawn", column=3)
    async with _visit(server_url, board) as script:
        await _see_texts(script, ".card-open", "Paint the fence", "Mend the gate", "Mow the lawn")
        await script.order("press", keys=["/"])
        await script.order("type", text="the GATE")
        await _see_texts(script, ".card-open", "Mend the gate")
        await _see(script, ".matches", "1 of 3 cards")
        await script.order("press", keys=["Control+a", "Delete"])
        await script.order("click", selector="#board-title")
        await script.order("press", keys=["?"])
        await _see(script, "#shortcuts", "Search cards")
        await script.order("press", keys=["Escape"])
        await _see(script, "#shortcuts", state="detached")
        await script.order("drag", cardId=done, columnId=board.column_ids[0])
        await script.wait_for("dragged")
        await _see(script, "#errors .error", "Done")
        await _see_texts(script, f'[data-column-id="{board.column_ids[3]}"] .card-open', "Mow the lawn")
        await script.order("drag", cardId=first, columnId=board.column_ids[1])
        await script.wait_for("dragged")
        await _see_texts(
            script, f'[data-column-id="{board.column_ids[1]}"] .card-open', "Paint the fence", "Mend the gate"
        )
        await check_access(script)
        await _change_boards(script, board)


async def _change_boards(script: NodeScript, board: BoardClient) -> None:
    """Make, rename and delete a board; another client's board appears and goes by itself."""
    await script.order("open", path=f"/#{board.board_id}")
    await script.wait_for("opened")
    await script.order("click", selector="#new-board")
    await script.order(
        "fillDialog", fields={"Name": "Orchard", "Repository path": "/srv/orchard"}, button="Create board"
    )
    await _see(script, "#board-title", "Orchard")
    await script.order("click", selector='[data-action="rename-board"]')
    await script.order("fillDialog", fields={"Name": "Vineyard"}, button="Save")
    await _see(script, "#board-title", "Vineyard")
    await _see_texts(script, _NAMES, "Client Tests", "Vineyard")
    body = {"name": "Made elsewhere", "repositoryPath": "/srv/elsewhere"}
    made = (await board.http.post("/api/v1/projects", json=body)).raise_for_status().json()["id"]
    await _see_texts(script, _NAMES, "Client Tests", "Vineyard", "Made elsewhere")
    await board.http.delete(f"/api/v1/projects/{made}")
    await _see_texts(script, _NAMES, "Client Tests", "Vineyard")
    await script.order("click", selector='[data-action="delete-board"]')
    await script.order("fillDialog", fields={}, button="Delete the board")
    await _see_texts(script, _NAMES, "Client Tests")
    await _see(script, "#board-title", "Client Tests")


_AT = "2026-11-23T10:00:00Z"
_RUN = {"command": "make check", "startedAt": _AT, "stdout": "All is well."}
_ITEMS = (
    {"type": "message", "role": "assistant", "text": "It is **done**.", "format": "markdown"},
    {"type": "thinking", "text": "Is it?", "title": "A doubt"},
    {"type": "tool", "tool": {"name": "shell", "status": "running", **_RUN}},
    {"type": "tool", "tool": {"name": "shell", "status": "succeeded", **_RUN}},
    {"type": "error", "text": "The disk is full", "details": "No space left"},
    {"type": "automation", "stage": "cleanup", "status": "failed", "exitCode": 3, "command": "make clean"},
)
_DESCRIPTION = """# Plan

- [x] **first** <img src=x onerror=alert(1)> <b style="color:red">raw</b>
- [link](https://example.org/) and [none](javascript:alert(1)) ![picture](https://example.org/p.png)"""


async def test_card_is_opened_changed_tried_and_deleted(server_url: str, board: BoardClient) -> None:
    card_id = await board.create_card("Paint the fence")
    other = await board.create_card("Buy paint")
    async with _visit(server_url, board) as script:
        await _see(script, ".card-open", "Buy paint")
        await script.order("click", selector=f'[data-card-id="{card_id}"]')
        await _see(script, "#card-panel h3", "Paint the fence")
        await script.order("click", selector='[data-action="edit-card"]')
        await script.order("fill", selector='#card-form [name="title"]', text="Paint both fences")
        await script.order("fill", selector='#card-form [name="description"]', text=_DESCRIPTION)
        await script.order("press", keys=["Control+Enter"])
        await _see(script, "#card-panel h3", "Paint both fences")
        await _see(script, "#card-panel .markdown strong", "first")
        await _see_texts(script, "#card-panel .markdown a[href]", "link", "picture")
        await _see_texts(script, "#card-panel .markdown :is(img, b, script, [style], [onerror])")
        await script.order("select", selector="#card-panel .panel-part > select", value=other)
        await _see(script, "#dependencies", "Buy paint")
        await script.order("click", selector="#dependencies button")
        await _see_texts(script, "#dependencies li")
        await _try_card(script, board, card_id)
        await _try_again(script, board, card_id)
        await check_access(script)
        await script.order("select", selector="#card-panel .facts select", value=board.column_ids[3])
        await _see(script, "#card-panel .facts", "Done")
        await script.order("select", selector="#card-panel .facts select", value=board.column_ids[0])
        await _see(script, "#card-panel #errors .error", "Done")
        await script.order("click", selector='[data-action="delete-card"]')
        await script.order("click", selector='[data-action="confirm-delete-card"]')
        await _see_texts(script, ".card-open", "Buy paint")
    state = await board.state()
    assert board.titles(state, 0) == ["Buy paint"]


async def _try_card(script: NodeScript, board: BoardClient, card_id: str) -> None:
    """Queue an attempt in the panel, and see what its runner tells."""
    await script.order("fill", selector='.queue [name="agent"]', text="CODEX")
    await script.order("press", keys=["Enter"])
    await _see(script, "#attempt .badge", "queued")
    found = await board.http.get(f"/api/v1/boards/{board.board_id}/cards/{card_id}/attempt")
    of_attempt = {"attemptId": found.raise_for_status().json()["attempt"]["id"]}
    await board.publish("attempt.started", **of_attempt, cardId=card_id, agent="CODEX")
    await _see(script, "#attempt .badge", "running")
    for item in _ITEMS:
        await board.publish("attempt.conversation.appended", **of_attempt, item={"timestamp": _AT, **item})
    todos = {"total": 2, "completed": 1, "items": [_todo("wash", "done"), _todo("paint", "open")]}
    await board.publish("attempt.todos.updated", **of_attempt, todos=todos)
    await board.publish("attempt.log.appended", **of_attempt, level="error", message="a <i>log</i> line")
    url = "https://example.org/pull/7"
    pr = {"number": 7, "url": url, "state": "open", "draft": False, "title": "Fences"}
    await board.publish("github.pr.created", projectId=board.board_id, **of_attempt, pr=pr)
    await _see(script, "#attempt a", "#7 open: Fences")
    await _see_texts(script, "#todos li", "wash", "paint")
    await _see_texts(script, "#conversation .who", "assistant", "thinking", "shell", "error", "cleanup")
    await _see(script, "#conversation .badge", "succeeded")
    await script.order("click", selector='[data-records="log"]')
    await _see(script, '#log [data-level="error"]', "a <i>log</i> line")
    await script.order("click", selector='[data-action="stop-attempt"]')
    await _see(script, "#attempt .badge", "stopping")


async def _try_again(script: NodeScript, board: BoardClient, card_id: str) -> None:
    """See a second attempt take the place of the first one, and open the first one again."""
    await board.queue_attempt("att-second", card_id)
    await board.change_status("att-second", card_id, "failed")
    await _see_texts(script, "#attempts .badge", "failed", "stopping")
    await _see(script, "#attempt-heading", "Newest attempt")
    await script.order("click", selector="#attempts li:last-child button")
    await _see(script, "#attempt-heading", "An older attempt")
    await _see_texts(script, "#conversation .who", "assistant", "thinking", "shell", "error", "cleanup")
    await _see(script, '#attempts [aria-pressed="true"]', "Attempt 1")


def _todo(text: str, status: str) -> dict[str, str]:
    return {"id": text, "text": text, "status": status}


async def test_dashboard_shows_figures_inbox_and_projects_live(server_url: str, board: BoardClient) -> None:
    done, busy = await board.create_card("Reviewed"), await board.create_card("Worked on")
    await board.queue_attempt("att-done", done)
    await board.change_status("att-done", done, "failed")
    async with _visit(server_url, board) as script:
        await script.order("open", path="/dashboard", waitFor="#figures")
        await script.wait_for("opened")
        await _see(script, '[data-figure="active"] dd', "0")
        await _see(script, "#inbox .rows", "Reviewed")
        await _see(script, "#projects h4", "Client Tests")
        await _see(script, ".chart canvas")
        await board.queue_attempt("att-busy", busy)
        await _see(script, '[data-figure="active"] dd', "1")
        await _see(script, "#working .rows", "Worked on")
        await script.order("click", selector='[data-range="last_24h"]')
        await _see(script, '#ranges [aria-pressed="true"]', "24 hours")
        await board.change_status("att-busy", busy, "failed")
        await _see(script, '#inbox [data-kind="failed"]', "2")
        await check_access(script)
        await script.order("click", selector="#inbox .rows a")
        await _see(script, "#card-panel h3")


async def test_inspector_shows_streams_and_log_and_publishes(server_url: str, board: BoardClient) -> None:
    await board.create_card("Inspected")
    async with _visit(server_url, board) as script:
        await script.order("open", path="/inspector", waitFor="#streams tbody tr")
        await script.wait_for("opened")
        await _see(script, '#streams tr[data-exit="board-ws"]', "Client Tests")
        await _see(script, "#nodes tbody tr")
        await _see(script, '#log-events [data-name="card.created"]', state="attached")
        await _travel(script, board)
        await script.order("fill", selector="#log-filter", text="nothing of that kind")
        await _see_texts(script, "#log-events li")
        await script.order("fill", selector="#log-filter", text="from the INSPECTOR")
        await script.order("click", selector='#publish [type="submit"]')
        await _see(script, ".notice.done", "The event is stored at")
        await _see(script, '#log-events [data-name="attempt.log.appended"]')
        await script.order("fill", selector='#publish [name="payload"]', text="{")
        await script.order("click", selector='#publish [type="submit"]')
        await _see(script, "#errors .error", "Payload")
        await script.order("click", selector="#log-events summary")
        await _see(script, "#log-events pre", "Hello from the inspector")
        await check_access(script)


async def _travel(script: NodeScript, board: BoardClient) -> None:
    """Look at the board before and after its second card, by button, slider and log."""
    await board.create_card("Made later")
    last = (await board.http.get(f"/api/v1/boards/{board.board_id}/past")).json()["last"]
    await script.order("click", selector='#past [data-action="newest"]')
    await _see(script, "[data-past-card]", "Made later")
    for offset in range(last - 1, 1, -1):
        await script.order("click", selector='#past [data-action="earlier"]')
        await _see(script, "#past-event", f"After event {offset} of {last}")
    await _see_texts(script, "[data-past-card]")
    await script.order("fill", selector="#past-offset", text=str(last))
    await _see_texts(script, "[data-past-card]", "Inspected", "Made later")
    await script.order("click", selector="#log-events li:last-child summary")
    await script.order("click", selector='#log-events li:last-child [data-action="travel"]')
    await _see(script, "#past-event", f"After event 1 of {last}")


async def test_phone_has_one_snapping_column_and_drags_by_touch(server_url: str, board: BoardClient) -> None:
    card_id = await board.create_card("To be touched")
    await board.create_card("Below it")
    async with _visit(server_url, board) as script:
        await script.order("open", path=f"/#{board.board_id}", size="phone", isTouch=True)
        await script.wait_for("opened")
        await _see(script, ".card-open", "Below it")
        await script.order("readLayout")
        layout = await script.wait_for("layout")
        assert layout["snaps"] == "x mandatory"
        assert all(0.8 * layout["screen"] < width < layout["screen"] for width in layout["widths"])
        assert (layout["overflow"], layout["height"]) == (0, 0)
        await script.order("touchDrag", cardId=card_id, columnId=board.column_ids[1])
        await script.wait_for("dragged")
        await _see(script, f'[data-column-id="{board.column_ids[1]}"] .card-open', "To be touched")
        await check_access(script)
    assert board.titles(await board.state(), 1) == ["To be touched"]


async def test_two_thousand_cards_scroll_in_their_columns_and_are_dragged(server_url: str, board: BoardClient) -> None:
    await board.publish("board.state.changed", state=_state_with_many_cards(board))
    async with _visit(server_url, board) as script:
        await script.order("expect", selector='[data-card-id="card-0"]')
        await script.wait_for("there")
        await _see(script, f'[data-card-id="card-{_MANY - 1}"]', state="attached")
        await script.order("readLayout")
        layout = await script.wait_for("layout")
        assert (layout["scrolling"], layout["overflow"], layout["height"]) == (4, 0, 0)
        await script.order("drag", cardId="card-0", columnId=board.column_ids[2])
        took = await script.wait_for("dragged")
        print(f"{_MANY} cards: the place is shown after {took['placed']} ms, the card after {took['dropped']} ms")
    assert "Card 0" in board.titles(await board.state(), 2)[:3]


def _state_with_many_cards(board: BoardClient) -> dict[str, Any]:
    cards = {f"card-{number}": {"id": f"card-{number}", "title": f"Card {number}"} for number in range(_MANY)}
    columns = {
        column_id: {
            "id": column_id,
            "title": title,
            "cardIds": list(cards)[place * _MANY // 4 : (place + 1) * _MANY // 4],
        }
        for place, (column_id, title) in enumerate(
            zip(board.column_ids, ("Backlog", "In Progress", "Review", "Done"), strict=True)
        )
    }
    return {"columns": columns, "columnOrder": list(board.column_ids), "cards": cards}


async def test_page_of_the_api_shows_calls_and_messages(server_url: str, board: BoardClient) -> None:
    async with _visit(server_url, board) as script:
        await script.order("open", path="/", waitFor='.pages a[href="/docs"]')
        await script.wait_for("opened")
        await script.order("click", selector='.pages a[href="/docs"]')
        await _see(script, "#described summary", "/api/v1/boards/{id}/past")
        await script.order("fill", selector="#filter", text="Make a card")
        await _see(script, "#described summary", "/api/v1/boards/{id}/cards")
        await script.order("click", selector="#described details:not([hidden]) summary")
        await _see(script, "#described details[open] summary", "body (application/json)")
        await check_access(script)
