"""Headers of every answer: HSTS over https only, and the answer's own headers stay."""

from __future__ import annotations

import pytest
from starlette.responses import Response
from starlette.types import Message

from server.middleware.answer_headers import AnswerHeaders


async def _headers(scheme: str, response: Response) -> dict[str, str]:
    """Return the headers of the answer."""
    found: dict[str, str] = {}

    async def receive() -> Message:
        raise AssertionError("nothing is read")

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            found.update({name.decode().lower(): value.decode() for name, value in message["headers"]})

    await AnswerHeaders(response)({"type": "http", "scheme": scheme, "path": "/"}, receive, send)
    return found


@pytest.mark.parametrize(("scheme", "has_it"), [("http", False), ("https", True)])
async def test_strict_transport_security_goes_over_https_only(scheme: str, has_it: bool) -> None:
    """RFC 6797 §7.2."""
    assert ("strict-transport-security" in await _headers(scheme, Response())) is has_it


async def test_header_of_the_answer_stays() -> None:
    found = await _headers("http", Response(headers={"X-Frame-Options": "DENY"}))
    assert found["x-frame-options"] == "DENY"
    assert found["x-content-type-options"] == "nosniff"


async def test_each_answer_has_a_name_of_its_own() -> None:
    names = [(await _headers("http", Response()))["x-request-id"] for _ in range(3)]
    assert len(set(names)) == 3
