"""Texts trimmed and shortened by the rules of ECMAScript, so that summaries are the same as the original's."""

from __future__ import annotations

import re

__all__ = ["shortened", "squeezed", "trimmed"]

#: ECMAScript's white space and line terminators (ECMA-262, 12.2 and 12.3); Python's set differs.
_WHITE = "\t\n\v\f\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
_RUN = re.compile(f"[{_WHITE}]+")
_ENDS = re.compile(rf"\A[{_WHITE}]+|[{_WHITE}]+\Z")


def trimmed(text: str) -> str:
    """Return `text` without white space at its ends."""
    return _ENDS.sub("", text)


def squeezed(text: str) -> str:
    """Return `text` trimmed, with each inner run of white space as one space, so the result is one line."""
    return trimmed(_RUN.sub(" ", text))


def shortened(text: str, units: int) -> str:
    """Return `text` with at most `units` UTF-16 code units; a shortened text ends with an ellipsis."""
    raw = text.encode("utf-16-le", "surrogatepass")
    if len(raw) <= 2 * units:
        return text
    # "ignore" drops half a surrogate pair, which the cut may leave.
    return raw[: 2 * (units - 1)].decode("utf-16-le", "ignore") + "…"
