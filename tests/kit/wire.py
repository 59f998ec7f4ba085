"""Removes our own additions from a frame or block, and checks that they are there.

They are described in docs/protocol.md, "Envelopes".
"""

from __future__ import annotations

from typing import Any

import orjson

__all__ = ["bare_block", "bare_frame"]

#: These have no cursor of their own.
_WITHOUT_CURSOR = {"hello", "heartbeat", "pong", "error", "access", "gap", "goodbye"}


def bare_frame(text: str) -> dict[str, Any]:
    """Return a raw WebSocket envelope as the original would have sent it.

    Asserts compact JSON with unescaped non-ASCII, `cursor` as the last key, and the new keys of `hello`.
    """
    frame: dict[str, Any] = orjson.loads(text)
    assert orjson.dumps(frame).decode() == text, f"expected compact JSON, got {text[:200]}"
    if frame["type"] not in _WITHOUT_CURSOR:
        assert list(frame)[-1] == "cursor", f"expected a cursor last, got {text[:200]}"
        _check_cursor(frame.pop("cursor"))
    assert "cursor" not in frame, f"expected no cursor, got {text[:200]}"
    _bare_hello(frame["type"], frame.get("payload"))
    return frame


def bare_block(block: str) -> tuple[str, Any]:
    """Return event and data of a raw SSE block as the original would have sent it.

    Asserts `event:` first, `data:` in one line, `id:` where docs/protocol.md requires it, and an empty line at the end.
    """
    lines = block.removesuffix("\n\n").split("\n")
    event = lines[0].removeprefix("event: ")
    ids = [line.removeprefix("id: ") for line in lines if line.startswith("id: ")]
    rest = [line for line in lines if not line.startswith("id: ")]
    assert [line.partition(": ")[0] for line in rest] == ["event", "data"], f"expected event and data, got {block!r}"
    assert len(ids) == (event not in _WITHOUT_CURSOR), f"expected one id unless {_WITHOUT_CURSOR}, got {block!r}"
    for cursor in ids:
        _check_cursor(cursor)
    data = rest[1].removeprefix("data: ")
    payload = orjson.loads(data)
    assert orjson.dumps(payload).decode() == data, f"expected compact JSON, got {data[:200]}"
    _bare_hello(event, payload)
    return event, payload


def _bare_hello(type: str, payload: Any) -> None:
    if type != "hello":
        return
    assert list(payload) == ["serverTime", "cursor", "heartbeatSeconds"], f"unexpected hello {payload}"
    _check_cursor(payload.pop("cursor"))
    assert payload.pop("heartbeatSeconds") > 0


def _check_cursor(cursor: object) -> None:
    assert isinstance(cursor, str), f"expected a cursor, got {cursor!r}"
    assert cursor, "expected a cursor, got an empty string"
    assert "\n" not in cursor
