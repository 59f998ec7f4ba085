"""Media types: reading one with its parameters, and which one a client wants best (RFC 9110, 12.5.1)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

__all__ = ["preferred", "split_media_type"]

#: The parameter that makes another media type of `multipart/mixed`; it is part of the name here, in lower case.
_NAMING = "subscriptionspec"

#: Names of the one encoding that we read and write.
_UTF_8 = ("utf-8", "utf8")


@dataclass(frozen=True, slots=True)
class _Range:
    """One media range; later ones of equal weight are wanted less."""

    media_type: str
    weight: float
    place: int


def split_media_type(text: str) -> tuple[str, bool]:
    """Return the media type in lower case, and whether its encoding is UTF-8, as it is when it says nothing."""
    media_type, parameters = _split(text)
    return media_type, parameters.get("charset", "utf-8") in _UTF_8


def preferred(accept: str | None, offered: Sequence[str]) -> str | None:
    """Return the one of `offered` that the client wants best; None = it takes none of them.

    Of equal weight are taken: first what the header names in full, in the header's order; then the first offered.
    Without a header the first offered. A range that cannot be read, or wants another encoding than UTF-8, is skipped.
    """
    if accept is None or not accept.strip():
        return offered[0]
    ranges = list(_ranges(accept))
    rated = [(rating, media_type) for media_type in offered if (rating := _rating(media_type, ranges)) is not None]
    # `max` keeps the first of equals, which is the one offered first.
    return max(rated, key=lambda one: one[0])[1] if rated else None


def _rating(media_type: str, ranges: Sequence[_Range]) -> tuple[float, bool, int] | None:
    """Return weight, whether it is named in full, and how early; None = not acceptable."""
    for wanted in (media_type, f"{media_type.partition('/')[0]}/*", "*/*"):  # the most specific one has the say
        found = next((one for one in ranges if one.media_type == wanted), None)
        if found is not None:
            named = wanted == media_type
            return (found.weight, named, -found.place if named else 0) if found.weight > 0 else None
    return None


def _ranges(accept: str) -> Iterator[_Range]:
    for place, part in enumerate(accept.split(",")):
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
