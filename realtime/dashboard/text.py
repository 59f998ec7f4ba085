"""Texts the way the original's language trims, squeezes and cuts them, so that summaries come out the same."""

from __future__ import annotations

import re

__all__ = ["shortened", "squeezed", "trimmed"]

#: ECMAScript's white space and line terminators (ECMA-262, 12.2 and 12.3). Python's set is another one.
_WHITE = "\t\n\v\f\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
_RUN = re.compile(f"[{_WHITE}]+")
_ENDS = re.compile(rf"\A[{_WHITE}]+|[{_WHITE}]+\Z")


def trimmed(text: str) -> str:
    """Return `text` without white space at its ends."""
    return _ENDS.sub("", text)


def squeezed(text: str) -> str:
    """Return `text` trimmed, each inner run of white space one space: one line, whatever came."""
    return trimmed(_RUN.sub(" ", text))


def shortened(text: str, units: int) -> str:
    """Return `text` in at most `units` UTF-16 code units, an ellipsis last when it was cut."""
    raw = text.encode("utf-16-le", "surrogatepass")
    if len(raw) <= 2 * units:
        return text
    # "ignore" drops the half of a character that the cut may leave.
    return raw[: 2 * (units - 1)].decode("utf-16-le", "ignore") + "…"
