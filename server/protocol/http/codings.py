"""Chooses whether an answer is compressed by the client's Accept-Encoding (RFC 9110, 12.5.3)."""

from __future__ import annotations

import re

from realtime.caches import bounded_cache
from server.protocol.deflate import MIN_BYTES
from server.protocol.http.fields import Fields, first_elements

__all__ = ["accept_encoding", "is_compressible", "least_bytes"]

#: The coding that the server knows. `x-gzip` is another name for it (RFC 9110, 8.4.1.3).
_GZIP = ("gzip", "x-gzip")
_WEIGHT = re.compile(r"(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)")
#: Media types of text. Pictures and fonts are compressed already.
_TEXT = re.compile(r"text/(?!event-stream).+|application/(?:json|javascript|wasm|.+\+json|.+\+xml)|image/svg\+xml")
#: Most values that are kept, and the characters of the longest among them.
_KNOWN, _KNOWN_CHARACTERS = 64, 255


def accept_encoding(headers: Fields) -> str:
    """Return the value of Accept-Encoding, which may stand in several lines; empty if there is none."""
    return ",".join([value.decode("latin-1") for name, value in headers if name == b"accept-encoding"])


@bounded_cache(_KNOWN, max_chars=_KNOWN_CHARACTERS, chars=len)
def least_bytes(accepted: str) -> int | None:
    """Return from how many bytes on the answer to a value of Accept-Encoding is compressed with gzip; None = never.

    An element that cannot be read counts for nothing. A client that accepts neither gzip nor plain bytes gets plain
    ones: its wish cannot be fulfilled, so it is disregarded (RFC 9110, 12.1).
    """
    weights = _weights(accepted)
    others = weights.get("*", 0.0)
    gzip = max((weights[name] for name in _GZIP if name in weights), default=others)
    identity = weights.get("identity", None if others or "*" not in weights else 0.0)
    if gzip <= 0 or (identity is not None and identity > gzip):
        return None
    return 0 if identity == 0 else MIN_BYTES


def is_compressible(media_type: str) -> bool:
    """Return whether answers of a media type become shorter, but for streams, which have formats of their own."""
    return _TEXT.fullmatch(media_type.partition(";")[0].strip().lower()) is not None


def _weights(accepted: str) -> dict[str, float]:
    weights: dict[str, float] = {}
    for element in first_elements(accepted.lower()):
        name, *parameters = (part.strip() for part in element.split(";"))
        weight = parameters[0].removeprefix("q=") if parameters else "1"
        if name and len(parameters) <= 1 and _WEIGHT.fullmatch(weight):
            weights[name] = float(weight)
    return weights
