"""A board that a token may not read is answered exactly as one that does not exist, wherever a request may name it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pytest

from tests.doors.http_line import HttpLine
from tests.doors.rest_table import http_rows
from tests.doors.secret_requests import BLIND, OTHER, address_requests, field_requests, hidden
from tests.doors.secret_table import HttpRequest, as_ghost, graphql_reports, graphql_requests, http_requests
from tests.doors.socket_table import socket_rows
from tests.doors.stage import Stage
from tests.doors.tokens import Token
from tests.kit.deadline import deadline
from tests.kit.graphql_socket import HANDSHAKE
from tests.kit.raw_http import Answer
from tests.kit.raw_socket import CLOSE, open_socket

_OTHER = BLIND[OTHER]
#: Headers that differ between two equal answers.
_VOLATILE = {"x-request-id", "date"}
_WAIT_UNITS = 10
#: Status, headers and body.
_Form = tuple[int, list[tuple[str, str]], bytes]


def _form(answer: Answer, epoch: str) -> _Form:
    """Return what must be equal, about the board that does not exist."""
    headers = sorted((name.lower(), value) for name, value in answer.headers if name.lower() not in _VOLATILE)
    return answer.status, headers, as_ghost(answer.body, epoch)


async def _answers(stage: Stage, token: Token, requests: Iterable[HttpRequest]) -> list[_Form]:
    epoch, bearer = stage.live.node.store.epoch, ("Authorization", f"Bearer {stage.texts[token.name]}")
    forms = []
    async with HttpLine(stage.live.address) as line:
        for one in requests:
            headers = [*one.headers, bearer]
            answer = await line.ask(one.method, one.target, headers, one.body, ends_with=b"\n\n")
            forms.append(_form(answer, epoch))
    return forms


async def _check_equal(stage: Stage, token: Token, requests: Sequence[HttpRequest]) -> None:
    """Require that no request changes anything, and that each gets the same answer about an unknown board."""
    before, epoch = stage.events_stored, stage.live.node.store.epoch
    secret = await _answers(stage, token, requests)
    unknown = await _answers(stage, token, [one.about_ghost(epoch) for one in requests])
    triples = zip(requests, secret, unknown, strict=True)
    found = [f"{one}: {answer} is not {other}" for one, answer, other in triples if answer != other]
    assert requests
    assert not found, "\n".join([f"{len(found)} of {len(requests)}", *found[:20]])
    assert stage.events_stored == before


@pytest.mark.parametrize("name", BLIND)
async def test_address_of_a_secret_board_answers_as_that_of_an_unknown_one(name: str, stage: Stage) -> None:
    await _check_equal(stage, BLIND[name], address_requests(BLIND[name], stage.live.node.store.epoch))


@pytest.mark.parametrize("name", BLIND)
async def test_operation_on_a_secret_board_is_answered_as_on_an_unknown_one(name: str, stage: Stage) -> None:
    await _check_equal(stage, BLIND[name], field_requests(BLIND[name], stage.live.node.store.epoch))


async def test_request_that_names_things_of_a_secret_board_is_answered_as_if_they_were_unknown(stage: Stage) -> None:
    epoch = stage.live.node.store.epoch
    await _check_equal(stage, _OTHER, [*http_requests(epoch), *graphql_requests(epoch)])


async def test_report_with_an_id_of_a_secret_board_is_accepted_as_if_the_id_were_unknown(stage: Stage) -> None:
    epoch, requests = stage.live.node.store.epoch, list(graphql_reports())
    unknown = [one.about_ghost(epoch) for one in requests]
    assert await _answers(stage, _OTHER, requests) == await _answers(stage, _OTHER, unknown)


async def _frames(stage: Stage, target: str, token: Token) -> list[bytes]:
    headers = [*HANDSHAKE, ("Authorization", f"Bearer {stage.texts[token.name]}")]
    frames = []
    async with deadline(_WAIT_UNITS), open_socket(stage.live.address, target, headers) as socket:
        while (frame := await socket.receive()).opcode != CLOSE:
            frames.append(frame.payload)
        return [*frames, frame.payload]


@pytest.mark.parametrize("name", BLIND)
async def test_socket_of_a_secret_board_ends_as_that_of_an_unknown_one(name: str, stage: Stage) -> None:
    targets = {row.target for row in hidden(socket_rows(), BLIND[name])}
    for target in sorted(targets):
        ghost = target.replace("alpha", "ghost")
        assert await _frames(stage, target, BLIND[name]) == await _frames(stage, ghost, BLIND[name])


@pytest.mark.parametrize("name", [name for name, token in BLIND.items() if not token.may("dashboard", None)])
async def test_answers_that_name_no_board_do_not_change_with_a_secret_board(name: str, stage: Stage) -> None:
    requests = [
        HttpRequest(row.method, row.target, b"", row.headers)
        for row in http_rows()
        if row.method in ("GET", "HEAD") and "alpha" not in row.target
    ]
    before = await _answers(stage, BLIND[name], requests)
    await stage.remove()
    after = await _answers(stage, BLIND[name], requests)
    await stage.renew()
    assert before == after
