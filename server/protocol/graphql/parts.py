r"""Parts of Apollo's multipart subscriptions: results → bytes (GraphOS, "Multipart protocol for subscriptions").

A client knows that a part is whole when the next boundary comes, so each part brings the boundary behind it along.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

__all__ = ["CLOSING", "CONTENT_TYPE", "HEARTBEAT", "MULTIPART", "OPENING", "ended_part", "result_part"]

#: What clients accept, as `media_types.preferred` writes it.
MULTIPART = "multipart/mixed;subscriptionspec=1.0"
#: Unquoted, in this order and without a space, as Apollo's router and everybody else sends it: `gql` compares it whole.
CONTENT_TYPE = "multipart/mixed;boundary=graphql;subscriptionSpec=1.0"
_BOUNDARY = b"\r\n--graphql"
#: Before the first part.
OPENING = _BOUNDARY
#: Behind the last part; makes its boundary the closing one.
CLOSING = b"--\r\n"


def result_part(body: Mapping[str, Any]) -> bytes:
    """Return a result."""
    return _part({"payload": body})


def ended_part(errors: object) -> bytes:
    """Return why the stream is broken off; the last part. Clients take `errors` beside `payload` as the protocol's."""
    return _part({"payload": None, "errors": errors})


def _part(message: Mapping[str, Any]) -> bytes:
    body = orjson.dumps(message)
    # With its length, without which aiohttp (by which `gql` reads) holds a part back until another comes.
    head = b"\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body)
    return b"%b%b%b" % (head, body, _BOUNDARY)


#: An empty object, which clients skip.
HEARTBEAT = _part({})
