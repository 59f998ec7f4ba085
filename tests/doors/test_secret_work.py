"""A request about a board that a token may not read costs the same work as one about a board that does not exist.

So the time of the answer tells nothing. The work is counted, not timed: the same functions are called as often, and the
same queries are sent.
"""

from __future__ import annotations

import gc
import re
from collections.abc import Awaitable, Callable, Iterator
from functools import partial

import pytest

from tests.doors.http_line import HttpLine
from tests.doors.secret_requests import BLIND, OF_OTHER, OTHER, REQUESTS, hidden
from tests.doors.secret_table import HttpRequest, as_ghost
from tests.doors.socket_table import socket_rows
from tests.doors.stage import Stage
from tests.doors.work import Work, observed
from tests.kit.blocked_tasks import other_tasks_blocked
from tests.kit.deadline import deadline
from tests.kit.graphql_socket import HANDSHAKE
from tests.kit.raw_socket import CLOSE, open_socket

_WAIT_UNITS = 10
#: A last resort of pytest; each request has its own deadline. Profiled code is slow.
_SECONDS = 300
_SHOWN, _TRIES = 10, 3


@pytest.fixture(autouse=True, scope="module")
def quick_collections() -> Iterator[None]:
    """Collect only what the tests make."""
    gc.freeze()
    yield
    gc.unfreeze()


async def _work_of(stage: Stage, token: str, request: HttpRequest, is_secret: bool) -> Work:
    asked = request if is_secret else request.about_ghost(stage.live.node.store.epoch)
    headers = [*asked.headers, ("Authorization", f"Bearer {stage.texts[token]}")]
    with observed() as work:
        async with HttpLine(stage.live.address) as line:
            await line.ask(asked.method, asked.target, headers, asked.body, ends_with=b"\n\n")
        if ("Accept", "text/event-stream") in asked.headers:
            await _settled(stage)
    if b"subscription" in asked.body:
        gc.collect()  # equal subscriptions find the execution until it is collected
    return work


async def _work_of_socket(stage: Stage, token: str, target: str, is_secret: bool) -> Work:
    asked = target if is_secret else target.replace("alpha", "ghost")
    headers = [*HANDSHAKE, ("Authorization", f"Bearer {stage.texts[token]}")]
    with observed() as work:
        async with deadline(_WAIT_UNITS), open_socket(stage.live.address, asked, headers) as socket:
            while (await socket.receive()).opcode != CLOSE:
                pass
        await _settled(stage)
    return work


async def _settled(stage: Stage) -> None:
    """Wait until the connection has left nothing behind."""
    async with deadline(_WAIT_UNITS):
        await stage.live.node.lifetimes.vacated()
        await other_tasks_blocked()


async def _differences(epoch: str, ask: Callable[[bool], Awaitable[Work]]) -> list[str]:
    """Return what differs between the work for the board that exists (`ask(True)`), and for the one that does not.

    A task that works from time to time may come in between, but not each time.
    """
    found: list[str] = []
    for _ in range(_TRIES):
        for is_secret in (True, False):
            await ask(is_secret)  # the first one of a kind fills caches, as that of the document
        found = _compared(await ask(True), await ask(False), epoch)
        if not found:
            break
    return found


def _compared(secret: Work, unknown: Work, epoch: str) -> list[str]:
    calls = {name: (secret.calls[name], unknown.calls[name]) for name in secret.calls | unknown.calls}
    found = [f"{name}: {one} calls, not {other}" for name, (one, other) in calls.items() if one != other]
    queries = [as_ghost(one.encode(), epoch).decode() for one in secret.statements]
    if [_parts(one) for one in queries] != [_parts(one) for one in unknown.statements]:
        found.append(f"{queries} is not {unknown.statements}")
    return found


def _parts(query: str) -> list[str]:
    """Return the words and values, sorted: those of a set come in any order."""
    return sorted(re.split(r"[\s,()]+", query))


_CASES = [(name, kind) for name in BLIND for kind in REQUESTS if name == OTHER or kind not in OF_OTHER]


@pytest.mark.timeout(_SECONDS)
@pytest.mark.parametrize(("name", "kind"), _CASES)
async def test_request_about_a_secret_board_does_the_work_of_one_about_an_unknown_board(
    name: str, kind: str, stage: Stage
) -> None:
    epoch, found = stage.live.node.store.epoch, []
    requests = REQUESTS[kind](BLIND[name], epoch)
    for request in requests:
        differences = await _differences(epoch, partial(_work_of, stage, name, request))
        if differences:
            found.append(f"{request.method} {request.target} {request.body!r:.300}: {differences}")
    assert requests
    assert not found, "\n".join([f"{len(found)} of {len(requests)}", *found[:_SHOWN]])


@pytest.mark.parametrize("name", BLIND)
async def test_socket_of_a_secret_board_does_the_work_of_one_of_an_unknown_board(name: str, stage: Stage) -> None:
    for target in sorted({row.target for row in hidden(socket_rows(), BLIND[name])}):
        found = await _differences(stage.live.node.store.epoch, partial(_work_of_socket, stage, name, target))
        assert found == [], target
