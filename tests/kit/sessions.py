"""Sessions of a running server, begun and ended over its REST API."""

from __future__ import annotations

from collections.abc import Iterable

import orjson

from tests.kit.raw_http import Address, Answer, exchange

__all__ = ["SESSION", "begin_session", "cookie_of", "sign_in", "sign_out"]

SESSION = "/api/v1/session"


async def begin_session(address: Address, token: object, headers: Iterable[tuple[str, str]] = ()) -> Answer:
    """Return the answer to a request for a session by a token."""
    return await exchange(address, "POST", SESSION, orjson.dumps({"token": token}), headers)


def cookie_of(answer: Answer) -> str:
    """Return the name and the value of the cookie that an answer sets, in the form of a header `Cookie`."""
    given = answer.header("Set-Cookie")
    assert given is not None, answer
    return given.partition(";")[0]


async def sign_in(address: Address, token: str) -> str:
    """Begin a session and return its cookie."""
    answer = await begin_session(address, token)
    assert answer.status == 201, answer
    return cookie_of(answer)


async def sign_out(address: Address, cookie: str) -> int:
    """End a session and return the status of the answer."""
    return (await exchange(address, "DELETE", SESSION, headers=[("Cookie", cookie)])).status
