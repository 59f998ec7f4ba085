"""Reads the head of a request, its request line and header lines, strictly by RFC 9112.

httptools' parser accepts heads that a proxy could read in another way, stops at an `Upgrade` that the server does not
take, and has no size limits. So this module reads every head, and httptools reads none.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from server.protocol.http.fields import Fields, is_host, list_of, merged, parse_field_lines
from server.protocol.http.refusal import RequestRefused

__all__ = ["MAX_HEAD_BYTES", "MAX_HEAD_LINES", "RequestHead", "parse_head", "parse_request_line"]

MAX_HEAD_BYTES = 64 * 1024
#: Header lines, without the request line.
MAX_HEAD_LINES = 128
#: Most digits of a Content-Length that is read exactly. A longer one is 10**18 here, and `limits.BodyLimit` refuses it.
_MAX_LENGTH_DIGITS = 18

_REQUEST_LINE = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]{1,64}) ([\x21-\x7e]+) HTTP/([0-9])\.([0-9])")
_ABSOLUTE = re.compile(rb"https?://([^/?#]*)(.*)", re.IGNORECASE)
_BAD_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")


class RequestHead(NamedTuple):
    """The head of a request."""

    method: str
    #: Percent-encoded, as it came.
    path: bytes
    query: bytes
    #: "1.0" or "1.1"; a later 1.x counts as "1.1".
    version: str
    headers: Fields
    #: Bytes of the body; None = the body is in chunks.
    length: int | None
    #: Whether the connection may serve another request.
    keep_alive: bool
    #: Whether the client waits for `100 Continue` before it sends the body.
    expects_continue: bool
    #: Protocols of the client's Upgrade header, in lower case. The caller decides whether to switch to one.
    upgrades: tuple[bytes, ...]

    def header(self, name: bytes) -> bytes | None:
        """Return the value of the header with this lower-case name; None = absent."""
        return next((value for one, value in self.headers if one == name), None)


def parse_head(raw: bytes) -> RequestHead:
    """Read a head, given without the empty line at its end.

    Raises:
        RequestRefused: this is no head, it has too many lines, or the server does not support a thing it asks for.
    """
    line, end, rest = raw.partition(b"\r\n")
    method, target, version = parse_request_line(line)
    count = raw.count(b"\r\n")
    if count > MAX_HEAD_LINES:
        raise RequestRefused(431, f"expected at most {MAX_HEAD_LINES} header lines, got {count}")
    headers = merged(parse_field_lines(rest + end) if end else ())
    values = dict(headers)
    authority, path, query = _parts(method, target)
    _check_host(values.get(b"host"), version)
    if authority is not None:
        # "the recipient MUST ignore the received Host header field" (RFC 9112, 3.2.2).
        headers = [(b"host", authority), *(pair for pair in headers if pair[0] != b"host")]
    options = list_of(values.get(b"connection"))
    is_current = version == "1.1"
    return RequestHead(
        method=method,
        path=path,
        query=query,
        version=version,
        headers=headers,
        length=_length(values, version),
        # Keep-alive of HTTP/1.0 is ignored: a proxy that does not know it may have forwarded the header.
        keep_alive=is_current and b"close" not in options,
        expects_continue=is_current and values.get(b"expect", b"").lower() == b"100-continue",
        # "A server MUST ignore an Upgrade header field that is received in an HTTP/1.0 request" (RFC 9110, 7.8).
        upgrades=tuple(list_of(values.get(b"upgrade"))) if is_current and b"upgrade" in options else (),
    )


def parse_request_line(line: bytes) -> tuple[str, bytes, str]:
    """Return method, target and version ("1.0" or "1.1") of a line, given without its CR LF.

    Raises:
        RequestRefused: 400, this is no request line; 505, it has another major version of HTTP.
    """
    match = _REQUEST_LINE.fullmatch(line)
    if match is None:
        raise RequestRefused(400, f"expected a request line, METHOD target HTTP/1.1, got {line!r:.80}")
    method, target, major, minor = match.groups()
    if major != b"1":
        raise RequestRefused(505, f"expected HTTP/1.1 or HTTP/1.0, got HTTP/{major.decode()}.{minor.decode()}")
    return method.decode(), target, "1.0" if minor == b"0" else "1.1"


def _parts(method: str, target: bytes) -> tuple[bytes | None, bytes, bytes]:
    """Return authority (None = the target names none), path and query (RFC 9112, 3.2)."""
    if method == "CONNECT":
        raise RequestRefused(501, "expected a request for this server, which is no proxy, got CONNECT")
    authority = None
    absolute = _ABSOLUTE.fullmatch(target)
    if absolute is not None:
        authority, target = absolute.groups()
        if not is_host(authority):
            raise RequestRefused(400, f"expected a host in the request's target, got {authority!r:.80}")
        if not target.startswith(b"/"):
            target = b"/" + target
    elif target == b"*" and method == "OPTIONS":
        return None, target, b""
    if not target.startswith(b"/") or b"#" in target:
        raise RequestRefused(400, f"expected a target that begins with / and has no #, got {target!r:.80}")
    path, _, query = target.partition(b"?")
    if _BAD_ESCAPE.search(path):
        raise RequestRefused(400, f"expected two hexadecimal digits after each % of the path, got {path!r:.80}")
    return authority, path, query


def _check_host(host: bytes | None, version: str) -> None:
    # "A server MUST respond with a 400 (Bad Request) status code to any HTTP/1.1 request message that lacks a Host
    # header field and to any request message that contains more than one Host header field line or a Host header field
    # with an invalid field value" (RFC 9112, 3.2). `fields.merged` refuses two Host headers.
    if host is None and version == "1.1":
        raise RequestRefused(400, "expected a Host header, got none")
    if host is not None and not is_host(host):
        raise RequestRefused(400, f"expected a host and perhaps a port in the Host header, got {host!r:.80}")


def _length(values: dict[bytes, bytes], version: str) -> int | None:
    """Return the number of bytes of the body; None = the body is in chunks (RFC 9112, 6.3).

    The server refuses an ambiguous length: a proxy before it could see other requests in the same bytes.
    """
    coding, length = values.get(b"transfer-encoding"), values.get(b"content-length")
    if coding is not None:
        if version != "1.1" or length is not None:
            other = "Content-Length" if length is not None else "HTTP/1.0"
            raise RequestRefused(400, f"expected Transfer-Encoding or {other}, got both")
        if list_of(coding) != [b"chunked"]:
            is_known = set(list_of(coding)) <= {b"chunked"}
            raise RequestRefused(400 if is_known else 501, f"expected Transfer-Encoding: chunked, got {coding!r:.80}")
        return None
    if length is None:
        return 0
    if not length.isdigit():
        raise RequestRefused(400, f"expected digits as Content-Length, got {length!r:.80}")
    digits = length.lstrip(b"0")
    return int(digits or b"0") if len(digits) <= _MAX_LENGTH_DIGITS else 10**_MAX_LENGTH_DIGITS
