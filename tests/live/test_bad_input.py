"""Bad input over REST: each is refused with a problem that names the error, and changes nothing."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from tests.kit.deadline import deadline
from tests.kit.live_server import LiveServer
from tests.kit.raw_http import Answer, connect, exchange, request_bytes
from tests.live.boards import BOARD, DOING, DONE, OTHER, TODO

_CARDS = f"/api/v1/boards/{BOARD}/cards"
_FREE, _WAITING, _DONE = f"{_CARDS}/free", f"{_CARDS}/waiting", f"{_CARDS}/done"
_PROJECTS, _PROJECT = "/api/v1/projects", f"/api/v1/projects/{BOARD}"
_EVENTS = "/api/v1/events"
_MIB = 1024 * 1024


def _problem(answer: Answer) -> dict[str, Any]:
    assert answer.header("Content-Type") == "application/problem+json", answer
    problem: dict[str, Any] = orjson.loads(answer.body)
    assert list(problem)[:4] == ["status", "detail", "type", "title"]
    assert problem["status"] == answer.status
    assert set(problem) <= {"status", "detail", "type", "title", "errors"}
    return problem


async def _send(live: LiveServer, method: str, target: str, body: object) -> Answer:
    content = body if isinstance(body, bytes) else orjson.dumps(body)
    async with deadline(10):
        answer = await exchange(live.address, method, target, content)
        assert answer.header("X-Request-Id"), answer
    return answer


_DEEP = b'{"title":' + b"[" * 100_000 + b"]" * 100_000 + b"}"

#: Name → method, address, body, status, the field that the answer names (None = none).
_CASES: dict[str, tuple[str, str, object, int, str | None]] = {
    "malformed": ("POST", _CARDS, b'{"title":', 400, None),
    "empty": ("POST", _CARDS, b"", 400, None),
    "list": ("POST", _CARDS, [], 400, None),
    "string": ("POST", _CARDS, "x", 400, None),
    "null": ("POST", _CARDS, None, 400, None),
    "not-utf8": ("POST", _CARDS, b'{"title":"\xff"}', 400, None),
    "byte-order-mark": ("POST", _CARDS, b'\xef\xbb\xbf{"title":"x"}', 400, None),
    "deep": ("POST", _CARDS, _DEEP, 400, None),
    "nan": ("POST", _CARDS, b'{"title":NaN}', 400, None),
    "no-title": ("POST", _CARDS, {"columnId": TODO}, 400, "title"),
    "blank-title": ("POST", _CARDS, {"columnId": TODO, "title": " \n\t "}, 400, "title"),
    "long-title": ("POST", _CARDS, {"columnId": TODO, "title": "x" * 501}, 400, "title"),
    "number-title": ("POST", _CARDS, {"columnId": TODO, "title": 5}, 400, "title"),
    "null-title": ("POST", _CARDS, {"columnId": TODO, "title": None}, 400, "title"),
    "surrogate-title": ("POST", _CARDS, b'{"columnId":"col-todo","title":"\\ud800"}', 400, None),
    "surrogate-description": (
        "POST",
        _CARDS,
        b'{"columnId":"col-todo","title":"x","description":"\\udfff"}',
        400,
        None,
    ),
    "long-description": (
        "POST",
        _CARDS,
        {"columnId": TODO, "title": "x", "description": "ü" * 32769},
        400,
        "description",
    ),
    "ticket-type": ("POST", _CARDS, {"columnId": TODO, "title": "x", "ticketType": "epic"}, 400, "ticketType"),
    "depends-on-text": ("POST", _CARDS, {"columnId": TODO, "title": "x", "dependsOn": "free"}, 400, "dependsOn"),
    "depends-on-unknown": ("POST", _CARDS, {"columnId": TODO, "title": "x", "dependsOn": ["nope"]}, 400, "dependsOn"),
    "depends-on-elsewhere": (
        *("POST", _CARDS, {"columnId": TODO, "title": "x", "dependsOn": ["other-free"]}),
        *(400, "dependsOn"),
    ),
    "column-unknown": ("POST", _CARDS, {"columnId": "nope", "title": "x"}, 404, None),
    "column-of-other-board": ("POST", _CARDS, {"columnId": f"other-{TODO}", "title": "x"}, 404, None),
    "column-empty": ("POST", _CARDS, {"columnId": "", "title": "x"}, 400, "columnId"),
    "column-long": ("POST", _CARDS, {"columnId": "x" * 201, "title": "x"}, 400, "columnId"),
    "board-unknown": ("POST", "/api/v1/boards/nope/cards", {"columnId": TODO, "title": "x"}, 404, None),
    "board-nul": ("POST", "/api/v1/boards/%00/cards", {"columnId": TODO, "title": "x"}, 404, None),
    "board-not-utf8": ("POST", "/api/v1/boards/%ff/cards", {"columnId": TODO, "title": "x"}, 404, None),
    "patch-nothing": ("PATCH", _FREE, {}, 400, None),
    "patch-card-unknown": ("PATCH", f"{_CARDS}/nope", {"title": "x"}, 404, None),
    "patch-card-elsewhere": ("PATCH", f"{_CARDS}/other-free", {"title": "x"}, 400, None),
    "patch-title-null": ("PATCH", _FREE, {"title": None}, 400, "title"),
    "patch-flag-text": ("PATCH", _FREE, {"isEnhanced": "yes"}, 400, "isEnhanced"),
    "patch-flag-number": ("PATCH", _FREE, {"disableAutoCloseOnPRMerge": 1}, 400, "disableAutoCloseOnPRMerge"),
    "patch-cycle": ("PATCH", _FREE, {"dependsOn": ["waiting"]}, 400, "dependsOn"),
    "patch-cycle-of-one": ("PATCH", _FREE, {"dependsOn": ["free"]}, 400, "dependsOn"),
    "patch-title-and-cycle": ("PATCH", _FREE, {"title": "new", "dependsOn": ["waiting"]}, 400, "dependsOn"),
    "move-only-column": ("PATCH", _FREE, {"columnId": DOING}, 400, None),
    "move-only-index": ("PATCH", _FREE, {"index": 0}, 400, None),
    "move-negative": ("PATCH", _FREE, {"columnId": DOING, "index": -1}, 400, "index"),
    "move-half": ("PATCH", _FREE, {"columnId": DOING, "index": 1.5}, 400, "index"),
    "move-text": ("PATCH", _FREE, {"columnId": DOING, "index": "2"}, 400, "index"),
    "move-true": ("PATCH", _FREE, {"columnId": DOING, "index": True}, 400, "index"),
    "move-null": ("PATCH", _FREE, {"columnId": DOING, "index": None}, 400, "index"),
    "move-huge-negative": ("PATCH", _FREE, b'{"columnId":"col-doing","index":-' + b"9" * 400 + b"}", 400, None),
    "move-column-unknown": ("PATCH", _FREE, {"columnId": "nope", "index": 0}, 404, None),
    "move-out-of-done": ("PATCH", _DONE, {"columnId": TODO, "index": 0}, 409, None),
    "move-blocked": ("PATCH", _WAITING, {"columnId": DOING, "index": 0}, 409, None),
    "move-and-bad-title": ("PATCH", _FREE, {"columnId": DOING, "index": 0, "title": ""}, 400, "title"),
    "title-and-bad-move": ("PATCH", _DONE, {"columnId": TODO, "index": 0, "title": "new"}, 409, None),
    "delete-unknown": ("DELETE", f"{_CARDS}/nope", b"", 404, None),
    "delete-long": ("DELETE", f"{_CARDS}/{'x' * 201}", b"", 400, "cardId"),
    "patch-long": ("PATCH", f"{_CARDS}/{'x' * 201}", {"title": "x"}, 400, "cardId"),
    "move-long": ("PATCH", f"{_CARDS}/{'x' * 201}", {"columnId": TODO, "index": 0}, 400, "cardId"),
    "get-attempt-long": ("GET", f"{_CARDS}/{'x' * 201}/attempt", b"", 404, None),
    "attempt-long": ("POST", f"{_CARDS}/{'x' * 201}/attempts", {"agent": "A"}, 400, "cardId"),
    "stop-long": ("PATCH", f"/api/v1/attempts/{'x' * 201}", {"status": "stopped"}, 404, None),
    "delete-elsewhere": ("DELETE", f"{_CARDS}/other-free", b"", 400, None),
    "delete-board-unknown": ("DELETE", "/api/v1/boards/nope/cards/free", b"", 404, None),
    "project-without-path": ("POST", _PROJECTS, {"name": "x"}, 400, "repositoryPath"),
    "project-blank": ("POST", _PROJECTS, {"name": " ", "repositoryPath": "/x"}, 400, "name"),
    "project-bad-url": (
        "POST",
        _PROJECTS,
        {"name": "x", "repositoryPath": "/x", "repositoryUrl": "no"},
        400,
        "repositoryUrl",
    ),
    "project-patch-nothing": ("PATCH", _PROJECT, {"unknown": 1}, 400, None),
    "project-patch-null": ("PATCH", _PROJECT, {"name": None}, 400, "name"),
    "project-unknown": ("PATCH", f"{_PROJECTS}/nope", {"name": "x"}, 404, None),
    "project-delete-unknown": ("DELETE", f"{_PROJECTS}/nope", b"", 404, None),
    "attempt-of-done-card": ("POST", f"{_PROJECT}/cards/done/attempts", {"agent": "CODEX"}, 409, None),
    "attempt-of-blocked-card": ("POST", f"{_PROJECT}/cards/waiting/attempts", {"agent": "CODEX"}, 409, None),
    "attempt-of-unknown-card": ("POST", f"{_PROJECT}/cards/nope/attempts", {"agent": "CODEX"}, 404, None),
    "attempt-unknown": ("PATCH", "/api/v1/attempts/nope", {"status": "stopped"}, 404, None),
    "dashboard-range": ("GET", "/api/v1/dashboard?range=7y", b"", 400, None),
    "dashboard-no-such-day": ("GET", "/api/v1/dashboard?from=2025-02-30&to=2025-03-01", b"", 400, None),
}


@pytest.mark.parametrize("case", _CASES)
async def test_bad_call_is_refused_and_changes_nothing(case: str, unchanged: LiveServer) -> None:
    method, target, body, status, field = _CASES[case]
    answer = await _send(unchanged, method, target, body)
    assert answer.status == status, answer
    errors = _problem(answer).get("errors", [])
    if field is not None:
        assert [error["field"].partition(".")[0] for error in errors] == [field]


async def test_every_bad_field_of_a_body_is_named(unchanged: LiveServer) -> None:
    body = {"columnId": 1, "title": "", "ticketType": "x", "dependsOn": [2]}
    problem = _problem(await _send(unchanged, "POST", _CARDS, body))
    assert [error["field"] for error in problem["errors"]] == ["columnId", "title", "ticketType", "dependsOn.0"]


async def test_title_of_500_characters_and_any_text_is_accepted(boards: LiveServer) -> None:
    for title in ("x" * 500, f" {'ü' * 500}\n", "a\x00b", "😀" * 500, "</script>'\"; DROP TABLE cards; --"):
        answer = await _send(boards, "POST", _CARDS, {"columnId": TODO, "title": title})
        assert answer.status == 201, (title, answer)
        created: Any = answer.json()
        assert created["state"]["cards"][created["cardId"]]["title"] == title.strip()


async def test_huge_index_puts_the_card_last(boards: LiveServer) -> None:
    answer = await _send(boards, "PATCH", _FREE, b'{"columnId":"col-done","index":' + b"9" * 400 + b"}")
    assert answer.status in {200, 400}, answer
    answer = await _send(boards, "PATCH", _FREE, {"columnId": DONE, "index": 2**63})
    moved: Any = answer.json()
    assert answer.status == 200, answer
    assert moved["columns"][DONE]["cardIds"] == ["done", "free"]


def _body_of(size: int, prefix: bytes) -> bytes:
    return prefix + b" " * (size - len(prefix))


@pytest.mark.parametrize("target", [_CARDS, _EVENTS, _PROJECTS, "/graphql"])
async def test_body_one_byte_too_large_is_413(target: str, unchanged: LiveServer) -> None:
    answer = await _send(unchanged, "POST", target, _body_of(_MIB + 1, b"{}"))
    assert (answer.status, _problem(answer)["title"]) == (413, _problem(answer)["title"])


@pytest.mark.parametrize("target", [_CARDS, _EVENTS, "/graphql"])
async def test_chunked_body_one_byte_too_large_is_413(target: str, unchanged: LiveServer) -> None:
    body = _body_of(_MIB + 1, b"{}")
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (body[:_MIB], body[_MIB:])) + b"0\r\n\r\n"
    headers = [("Host", "localhost"), ("Content-Type", "application/json"), ("Transfer-Encoding", "chunked")]
    async with deadline(10), connect(unchanged.address) as connection:
        await connection.send(request_bytes("POST", target, headers, chunks))
        head = await connection.read_head()
        assert head.status == 413
        assert head.header("Content-Type") == "application/problem+json"


async def test_body_of_exactly_one_mebibyte_is_accepted(boards: LiveServer) -> None:
    card = orjson.dumps({"columnId": TODO, "title": "x"})
    assert (await _send(boards, "POST", _CARDS, _body_of(_MIB, card))).status == 201
    event = orjson.dumps({"name": "agent.registered", "payload": {"agent": "A"}})
    assert (await _send(boards, "POST", _EVENTS, _body_of(_MIB, event))).status == 202


async def test_body_that_never_ends_is_cut_at_the_limit(unchanged: LiveServer) -> None:
    headers = [("Host", "localhost"), ("Content-Type", "application/json"), ("Content-Length", str(10 * _MIB))]
    async with deadline(10), connect(unchanged.address) as connection:
        await connection.send(request_bytes("POST", _EVENTS, headers, b" " * 1000))
        assert (await connection.read_head()).status == 413


@pytest.mark.parametrize("board", [BOARD, OTHER])
async def test_same_delete_twice_is_404_the_second_time(board: str, boards: LiveServer) -> None:
    target = f"/api/v1/projects/{board}"
    assert [(await _send(boards, "DELETE", target, b"")).status for _ in range(2)] == [204, 404]
