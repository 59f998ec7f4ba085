"""Every recorded REST call in our scope, with its recorded answer: shape, key order, status, headers, details."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from tests.kit.live_server import LiveServer
from tests.kit.matching import Matcher
from tests.kit.publishing import Publisher
from tests.kit.raw_http import Answer, exchange
from tests.kit.recordings import Json, load
from tests.live.replay import departures, elsewhere
from tests.live.replay.answers import check_answer, check_problem
from tests.live.replay.calls import ALPHA, call_named, events_before

#: These calls need an earlier step, or have another answer because no agent runs here (docs/rest.md, "Attempts"). They
#: have their own tests below.
APART = {"readyz not ready", "attempt restart", "card delete again", "board state after delete"}
_CALLS = [one for one in load("http-api")["calls"] if one["name"] not in {*elsewhere.HTTP, *APART}]


@pytest.mark.parametrize("call", _CALLS, ids=[one["name"] for one in _CALLS])
async def test_call_is_answered_as_recorded(call: Json, live: LiveServer) -> None:
    await Publisher(live.address).publish(*events_before(call))
    answer = await _send(live, call)
    instead = departures.HTTP.get(call["name"])
    if instead and instead.status >= 400:
        check_problem(answer, instead.status)
        assert answer.status != 405 or answer.header("Allow")
    elif instead:
        _check_cleared_description(call, answer)
    else:
        check_answer(call["W"], answer, Matcher())


@pytest.mark.parametrize(
    "name",
    sorted(name for name, one in departures.HTTP.items() if name.startswith("card ") and one.status >= 400),
)
async def test_refused_call_changes_nothing(name: str, live: LiveServer) -> None:
    call = call_named(name)
    await Publisher(live.address).publish(*events_before(call))
    before = await exchange(live.address, "GET", f"/api/v1/boards/{ALPHA}")
    await _send(live, call)
    assert (await exchange(live.address, "GET", f"/api/v1/boards/{ALPHA}")).body == before.body


@pytest.mark.parametrize(
    ("first", "again"), [("card delete", "card delete again"), ("project delete", "board state after delete")]
)
async def test_deleted_thing_is_not_found_again(first: str, again: str, live: LiveServer) -> None:
    await Publisher(live.address).publish(*events_before(call_named(first)))
    assert (await _send(live, call_named(first))).status == 204
    check_answer(call_named(again)["W"], await _send(live, call_named(again)), Matcher())


async def test_attempt_of_a_card_that_had_one_keeps_its_id(live: LiveServer) -> None:
    """As recorded, except that the status is `queued`, because a runner outside starts the attempt.

    See docs/rest.md, "Attempts".
    """
    call = call_named("attempt restart")
    await Publisher(live.address).publish(*events_before(call))
    answer = await _send(live, call)
    recorded, body = orjson.loads(call["W"]["body"]), orjson.loads(answer.body)
    assert answer.status == 201, answer
    assert list(body) == list(recorded)
    same = ("id", "boardId", "cardId", "agent", "createdAt")
    assert [body[key] for key in same] == [recorded[key] for key in same]
    assert (body["status"], body["startedAt"], body["endedAt"]) == ("queued", None, None)


async def test_shim_without_version_answers_the_same(live: LiveServer) -> None:
    await Publisher(live.address).publish(*events_before(call_named("board state")))
    paths = [f"/projects/{ALPHA}/board", f"/boards/{ALPHA}", "/projects", "/healthz", "/readyz"]
    for path in paths:
        answers = [await exchange(live.address, "GET", prefix + path) for prefix in ("/api/v1", "/api")]
        assert [answer.status for answer in answers] == [200, 200], path
        assert answers[0].body == answers[1].body


async def _send(live: LiveServer, call: Json) -> Answer:
    request = call["request"]
    headers = [(name, value) for name, value in request["headers"] if name == "Content-Type"]
    body = None if request["body"] is None else request["body"].encode()
    return await exchange(live.address, request["method"], request["path"], body, headers)


def _check_cleared_description(call: Json, answer: Answer) -> None:
    """Row 15: `description: null` clears it."""
    assert answer.status == call["W"]["status"]
    recorded: Any = orjson.loads(call["W"]["body"])
    del recorded["state"]["cards"][call["request"]["path"].rpartition("/")[2]]["description"]
    Matcher().match(recorded, answer.json())
