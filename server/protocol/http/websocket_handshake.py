"""Checks the opening handshake of a WebSocket client (RFC 6455, 4.2.1)."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass

from server.protocol.http.head import RequestHead

__all__ = ["VERSION", "HandshakeFault", "handshake_fault", "is_handshake"]

#: The version of the protocol that the server speaks.
VERSION = "13"
_KEY_BYTES = 16
_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_VALUE = rb'(?:%b|"(?:\\?[!#$%%&\'*+\-.^_`|~0-9A-Za-z])+")' % _TOKEN
_EXTENSION = rb"%b(?:[ \t]*;[ \t]*%b(?:[ \t]*=[ \t]*%b)?)*" % (_TOKEN, _TOKEN, _VALUE)
_EXTENSIONS = re.compile(rb"%b(?:[ \t]*,[ \t]*%b)*" % (_EXTENSION, _EXTENSION))
_TOKENS = re.compile(rb"%b(?:[ \t]*,[ \t]*%b)*" % (_TOKEN, _TOKEN))


@dataclass(frozen=True, slots=True)
class HandshakeFault:
    """The reason for refusing a handshake: an HTTP status, and a sentence for people."""

    status: int
    sentence: str


def is_handshake(head: RequestHead) -> bool:
    """Return whether the request asks for a WebSocket.

    A handshake is a GET without a body. The server ignores the upgrade in any other request, and answers the request as
    usual (RFC 9110, 7.8).
    """
    return b"websocket" in head.upgrades and head.method == "GET" and head.length == 0


def handshake_fault(head: RequestHead) -> HandshakeFault | None:
    """Return the fault of a handshake; None = the handshake is valid."""
    version = head.header(b"sec-websocket-version")
    if version != VERSION.encode():
        got = "none" if version is None else f"{version!r:.40}"
        # "an appropriate HTTP error code (such as 426 Upgrade Required) and a |Sec-WebSocket-Version| header field
        # indicating the version(s) the server is capable of understanding" (RFC 6455, 4.2.2).
        return HandshakeFault(400 if version is None else 426, f"expected Sec-WebSocket-Version: 13, got {got}")
    key = head.header(b"sec-websocket-key")
    if key is None or not _is_key(key):
        got = "none" if key is None else f"{key!r:.40}"
        return HandshakeFault(400, f"expected 16 bytes in base64 as Sec-WebSocket-Key, got {got}")
    offered = head.header(b"sec-websocket-protocol")
    # The library websockets parses the header again, and fails on one that does not match the grammar, such as an empty
    # list (RFC 6455, 4.3).
    if offered is not None and not _TOKENS.fullmatch(offered):
        return HandshakeFault(400, "expected Sec-WebSocket-Protocol: tokens, separated by commas")
    extensions = head.header(b"sec-websocket-extensions")
    # "the recipient of such malformed data MUST immediately _Fail the WebSocket Connection_" (RFC 6455, 9.1).
    if extensions is not None and not _EXTENSIONS.fullmatch(extensions):
        return HandshakeFault(400, "expected Sec-WebSocket-Extensions: names with parameters, separated by commas")
    return None


def _is_key(key: bytes) -> bool:
    try:
        return len(base64.b64decode(key, validate=True)) == _KEY_BYTES
    except binascii.Error:
        return False
