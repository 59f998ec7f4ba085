"""Texts are trimmed, collapsed and cut as in the original."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from realtime.dashboard.text import shortened, squeezed, trimmed

WHITE = "\t\n\v\f\r \u00a0\u1680\u2000\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"


def test_white_space_is_that_of_ecmascript() -> None:
    assert trimmed(f"{WHITE}a b{WHITE}") == "a b"
    # White space in Python, but not in ECMAScript.
    assert trimmed("\x1c\x85") == "\x1c\x85"


def test_runs_become_one_space() -> None:
    assert squeezed(f" a{WHITE}b\n\n c ") == "a b c"
    assert squeezed(WHITE) == ""


def test_characters_beyond_the_first_plane_count_twice_and_stay_whole() -> None:
    assert shortened("🙂🙂", 4) == "🙂🙂"
    assert shortened("🙂🙂🙂", 4) == "🙂…"
    assert shortened("🙂🙂🙂", 5) == "🙂🙂…"


@given(st.text(), st.integers(min_value=1, max_value=20))
def test_shortened_text_fits_and_begins_alike(text: str, units: int) -> None:
    short = shortened(text, units)
    assert len(short.encode("utf-16-le")) <= 2 * units
    assert short == text or text.startswith(short.removesuffix("…"))
