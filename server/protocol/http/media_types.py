"""Parses media types and chooses the one that a client prefers (RFC 9110, 12.5.1)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from server.protocol.http.fields import first_elements

__all__ = ["preferred", "split_media_type"]

#: A parameter that distinguishes two kinds of `multipart/mixed`. Here it is part of the name, in lower case.
_NAMING = "subscriptionspec"

#: Names of the only encoding that the server reads and writes.
_UTF_8 = ("utf-8", "utf8")


@dataclass(frozen=True, slots=True)
class _Range:
    """One media range of an Accept header. Of two with equal weight, the client prefers the earlier."""

    media_type: str
    weight: float
    place: int


def split_media_type(text: str) -> tuple[str, bool]:
    """Return the media type in lower case, and whether its encoding is UTF-8, which is the default."""
    media_type, parameters = _split(text)
    return media_type, parameters.get("charset", "utf-8") in _UTF_8


def preferred(accept: str | None, offered: Sequence[str]) -> str | None:
    """Return the media type of `offered` that the client prefers; None = the client accepts none of them.

    Among types of equal weight, a type that the header names in full wins, in the order of the header; then the order
    of `offered` decides. Without a header the result is the first of `offered`. A range that cannot be read, or that
    asks for another encoding than UTF-8, is ignored.
    """
    if accept is None or not accept.strip():
        return offered[0]
    ranges = list(_ranges(accept))
    rated = [(rating, media_type) for media_type in offered if (rating := _rating(media_type, ranges)) is not None]
    # `max` returns the first of equal ratings, which is the type offered first.
    return max(rated, key=lambda one: one[0])[1] if rated else None


def _rating(media_type: str, ranges: Sequence[_Range]) -> tuple[float, bool, int] | None:
    """Return its weight, whether a range names it in full, and how early that range is; None = not acceptable."""
    for wanted in (media_type, f"{media_type.partition('/')[0]}/*", "*/*"):  # the most specific range decides
        found = next((one for one in ranges if one.media_type == wanted), None)
        if found is not None:
            named = wanted == media_type
            return (found.weight, named, -found.place if named else 0) if found.weight > 0 else None
    return None


def _ranges(accept: str) -> Iterator[_Range]:
    for place, part in enumerate(first_elements(accept)):
        media_type, parameters = _split(part)
        if _NAMING in parameters:
            media_type = f"{media_type};{_NAMING}={parameters[_NAMING]}"
        weight = _weight(parameters.get("q", "1"))
        if weight is not None and parameters.get("charset", "utf-8") in _UTF_8:
            yield _Range(media_type, weight, place)


def _split(text: str) -> tuple[str, dict[str, str]]:
    media_type, *parameters = (piece.strip() for piece in text.lower().split(";"))
    pairs = (parameter.partition("=") for parameter in parameters)
    return media_type, {name.strip(): value.strip().strip('"') for name, _, value in pairs}


def _weight(text: str) -> float | None:
    try:
        weight = float(text)
    except ValueError:
        return None
    return weight if 0 <= weight <= 1 else None
