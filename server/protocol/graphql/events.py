r"""Blocks of the event streams of graphql-sse (PROTOCOL.md): results → bytes.

JSON contains no raw line break, so one `data` line is enough. The transport sets the media type and ends the stream.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

__all__ = ["COMPLETE", "KEEP_ALIVE", "complete_block", "next_block", "operation_block", "retry_block"]

#: A comment: clients ignore it, and proxies see that the connection is in use.
KEEP_ALIVE = b":\n\n"
#: "Include an empty `data: ` field when sending the message to a client that uses EventSource. If the field is
#: omitted, the complete event won't trigger the listener."
COMPLETE = b"event: complete\ndata: \n\n"


def next_block(body: Mapping[str, Any], cursor: str | None = None) -> bytes:
    """Return a result, with the cursor of its event as `id`."""
    identity = b"\nid: %b" % cursor.encode() if cursor is not None else b""
    return b"event: next\ndata: %b%b\n\n" % (orjson.dumps(body), identity)


def operation_block(id: str, body: Mapping[str, Any]) -> bytes:
    """Return a result of one of several operations on the stream.

    The block has no cursor: a stream has one last event id, but each operation has its own position.
    """
    return b"event: next\ndata: %b\n\n" % orjson.dumps({"id": id, "payload": body})


def complete_block(id: str) -> bytes:
    """Return the end of one of several operations on the stream."""
    return b"event: complete\ndata: %b\n\n" % orjson.dumps({"id": id})


def retry_block(milliseconds: int) -> bytes:
    """Return the time after which a client should reconnect. It is no event, but a browser's EventSource obeys it."""
    return b"retry: %d\n\n" % milliseconds
