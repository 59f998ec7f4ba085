r"""Parts of Apollo's multipart subscriptions: results → bytes (GraphOS, "Multipart protocol for subscriptions").

A client knows that a part is complete when it reads the next boundary, so each part here ends with that boundary.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

__all__ = ["CLOSING", "CONTENT_TYPE", "HEARTBEAT", "MULTIPART", "OPENING", "ended_part", "result_part"]

#: The media type in the client's Accept header, in the form that `media_types.preferred` uses.
MULTIPART = "multipart/mixed;subscriptionspec=1.0"
#: Unquoted, in this order and without a space, as Apollo's router and other servers send it: `gql` compares the whole
#: text.
CONTENT_TYPE = "multipart/mixed;boundary=graphql;subscriptionSpec=1.0"
_BOUNDARY = b"\r\n--graphql"
#: Before the first part.
OPENING = _BOUNDARY
#: After the last part: turns its boundary into the closing boundary.
CLOSING = b"--\r\n"


def result_part(body: Mapping[str, Any]) -> bytes:
    """Return the part with one result, in the key `payload` (the multipart protocol of Apollo)."""
    return _part({"payload": body})


def ended_part(errors: object) -> bytes:
    """Return the last part, which says why the server ends the stream.

    Clients take `errors` on the same level as `payload` as errors of the protocol.
    """
    return _part({"payload": None, "errors": errors})


def _part(message: Mapping[str, Any]) -> bytes:
    body = orjson.dumps(message)
    # `gql` reads with aiohttp, which holds back a part without Content-Length until the next part comes.
    head = b"\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body)
    return b"%b%b%b" % (head, body, _BOUNDARY)


#: An empty object, which clients skip.
HEARTBEAT = _part({})
