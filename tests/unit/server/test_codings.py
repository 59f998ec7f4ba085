"""Accept-Encoding: who gets gzip, and from how many bytes on."""

from __future__ import annotations

import pytest

from server.protocol.deflate import MIN_BYTES
from server.protocol.http.codings import accept_encoding, is_compressible, least_bytes


@pytest.mark.parametrize(
    "accepted",
    [
        "gzip",
        "GZip",
        "x-gzip",
        "gzip, deflate, br, zstd",
        "br;q=1.0, gzip;q=0.8, *;q=0.1",
        "*",
        "*;q=0.5",
        "gzip;q=0.001",
        "gzip ; q=1.000",
        "gzip;Q=0.3, identity;q=0.3",
        " , gzip,, ",
        "gzip;q=0, x-gzip;q=1",
        "br;q=x, gzip",
    ],
)
def test_gzip_is_accepted(accepted: str) -> None:
    assert least_bytes(accepted) == MIN_BYTES


@pytest.mark.parametrize(
    "accepted",
    [
        "",
        "identity",
        "deflate, br",
        "gzip;q=0",
        "gzip;q=0.0",
        "*;q=0",
        "gzip;q=0, *",
        "gzip;q=0.5, identity;q=0.6",
        "gzip;q=2",
        "gzip;q=-1",
        "gzip;q=0.1234",
        "gzip;q=nan",
        "gzip;q=",
        "gzip;level=9",
        "gzip;q=1;q=1",
        "gzipped",
        "identity;q=0, gzip;q=0",
        "gzip" * 1000,
    ],
)
def test_gzip_is_not_accepted(accepted: str) -> None:
    assert least_bytes(accepted) is None


@pytest.mark.parametrize("accepted", ["gzip, identity;q=0", "gzip, *;q=0", "identity;q=0.0, *;q=0.1"])
def test_client_that_refuses_plain_bytes_gets_none(accepted: str) -> None:
    assert least_bytes(accepted) == 0


@pytest.mark.parametrize(("others", "accepts"), [(99, True), (100, False)])
def test_only_the_first_elements_count(others: int, accepts: bool) -> None:
    assert (least_bytes("br," * others + "gzip") is not None) == accepts


def test_lines_of_the_header_are_one_list() -> None:
    headers = [(b"accept-encoding", b"br"), (b"accept", b"gzip"), (b"accept-encoding", b"gzip;q=0.5")]
    assert accept_encoding(headers) == "br,gzip;q=0.5"
    assert accept_encoding([(b"accept", b"gzip")]) == ""


@pytest.mark.parametrize(
    ("media_type", "is_text"),
    [
        ("application/json", True),
        ("application/problem+json", True),
        ("application/graphql-response+json; charset=utf-8", True),
        ("text/html; charset=utf-8", True),
        ("Text/CSS", True),
        ("image/svg+xml", True),
        ("image/png", False),
        ("font/woff2", False),
        ("application/octet-stream", False),
        ("text/event-stream", False),
        ("multipart/mixed;boundary=graphql", False),
        ("", False),
    ],
)
def test_text_is_compressible(media_type: str, is_text: bool) -> None:
    assert is_compressible(media_type) is is_text
