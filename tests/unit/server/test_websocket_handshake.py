"""Valid handshakes of a WebSocket, and the faults of invalid ones."""

from __future__ import annotations

import pytest

from server.protocol.http.head import parse_head
from server.protocol.http.websocket_handshake import handshake_fault, is_handshake

_KEY, _VERSION = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13"


def _lines(*lines: str, method: str = "GET", version: str = "1.1") -> bytes:
    fields = ("Host: x", "Connection: Upgrade", "Upgrade: websocket", *lines)
    return "\r\n".join((f"{method} / HTTP/{version}", *fields)).encode()


def test_good_handshake_has_no_fault() -> None:
    head = parse_head(_lines(_KEY, _VERSION, "Sec-WebSocket-Protocol: a", "Sec-WebSocket-Protocol: b.c , d"))
    assert is_handshake(head)
    assert handshake_fault(head) is None


@pytest.mark.parametrize(
    "raw",
    [
        _lines(_KEY, _VERSION, method="POST"),
        _lines(_KEY, _VERSION, "Content-Length: 1"),
        _lines(_KEY, _VERSION, "Transfer-Encoding: chunked"),
        _lines(_KEY, _VERSION, version="1.0"),
    ],
    ids=["post", "counted", "chunked", "1.0"],
)
def test_upgrade_that_cannot_be_taken_is_no_handshake(raw: bytes) -> None:
    assert not is_handshake(parse_head(raw))


@pytest.mark.parametrize(
    "offer",
    [
        "permessage-deflate",
        "permessage-deflate; client_max_window_bits",
        "permessage-deflate;server_max_window_bits=15 , x-webkit-deflate-frame",
        'permessage-deflate; server_max_window_bits="1\\5"',
        "a\t;\tb = c",
    ],
)
def test_extensions_may_be_offered(offer: str) -> None:
    head = parse_head(_lines(_KEY, _VERSION, f"Sec-WebSocket-Extensions: {offer}", "Sec-WebSocket-Extensions: other"))
    assert handshake_fault(head) is None


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        ([_VERSION], 400),
        ([_KEY], 400),
        ([_KEY, "Sec-WebSocket-Version: 8"], 426),
        ([_KEY, "Sec-WebSocket-Version: 13, 8"], 426),
        (["Sec-WebSocket-Key: AAAA", _VERSION], 400),
        (["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ", _VERSION], 400),
        (["Sec-WebSocket-Key: !!!!", _VERSION], 400),
        (["Sec-WebSocket-Key: \xfc", _VERSION], 400),
        (["Sec-WebSocket-Key:", _VERSION], 400),
        ([_KEY, _VERSION, "Sec-WebSocket-Protocol: a b"], 400),
        ([_KEY, _VERSION, "Sec-WebSocket-Protocol: a=="], 400),
        ([_KEY, _VERSION, "Sec-WebSocket-Protocol:"], 400),
        ([_KEY, _VERSION, "Sec-WebSocket-Protocol: a,,b"], 400),
        ([_KEY, _VERSION, "Sec-WebSocket-Extensions:"], 400),
        ([_KEY, _VERSION, "Sec-WebSocket-Extensions: a b"], 400),
        ([_KEY, _VERSION, "Sec-WebSocket-Extensions: a; b=c d"], 400),
        ([_KEY, _VERSION, "Sec-WebSocket-Extensions: a;"], 400),
        ([_KEY, _VERSION, "Sec-WebSocket-Extensions: a,,b"], 400),
        ([_KEY, _VERSION, 'Sec-WebSocket-Extensions: a; b="c d"'], 400),
        ([_KEY, _VERSION, 'Sec-WebSocket-Extensions: a; b=""'], 400),
        ([_KEY, _VERSION, 'Sec-WebSocket-Extensions: a; b="c'], 400),
        ([_KEY, _VERSION, "Sec-WebSocket-Extensions: a; =c"], 400),
    ],
)
def test_fault_of_a_handshake_is_reported(lines: list[str], status: int) -> None:
    fault = handshake_fault(parse_head(_lines(*lines)))
    assert fault is not None
    assert fault.status == status
    assert fault.sentence.startswith("expected Sec-WebSocket-" if "Key" not in fault.sentence else "expected 16 bytes")
