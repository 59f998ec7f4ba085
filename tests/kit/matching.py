"""Compares an answer with its recording: keys in order, ids in pairs, times by their form.

The first appearance of an id binds it to the id at the same place of the other side. From then on the two must appear
together.
"""

from __future__ import annotations

import re
from typing import Any

__all__ = ["Matcher", "is_time"]

_ID = re.compile(r"(?:[a-z]{2,6}-)?[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\Z")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\Z")
#: The recordings were made in this year. A client sent every other time in them, and it must come back unchanged.
_YEAR_OF_RECORDING = "2026-"


def is_time(value: object) -> bool:
    """Whether `value` is a time as on the wire: ISO 8601, milliseconds, `Z`."""
    return isinstance(value, str) and _TIME.match(value) is not None


class Matcher:
    """Matches the frames and answers of one scenario. Bound ids stay bound throughout the scenario."""

    def __init__(self) -> None:
        """Start without bound ids."""
        self._to_actual: dict[str, str] = {}
        self._to_recorded: dict[str, str] = {}

    def actual(self, text: str) -> str:
        """Return `text` with the ids of this run instead of the recorded ones."""
        for recorded, actual in self._to_actual.items():
            text = text.replace(recorded, actual)
        return text

    def match(self, recorded: Any, actual: Any, where: str = "$") -> None:
        """Assert that `actual` equals the recording, apart from ids and times."""
        if isinstance(recorded, dict):
            assert isinstance(actual, dict), f"{where}: expected an object, got {actual!r}"
            self._match_object(recorded, actual, where)
        elif isinstance(recorded, list):
            assert isinstance(actual, list), f"{where}: expected a list, got {actual!r}"
            assert len(actual) == len(recorded), f"{where}: expected {recorded!r}, got {actual!r}"
            for index, (one, other) in enumerate(zip(recorded, actual, strict=True)):
                self.match(one, other, f"{where}[{index}]")
        elif isinstance(recorded, str):
            self._match_text(recorded, actual, where)
        else:
            same = type(recorded) is type(actual) and recorded == actual
            assert same, f"{where}: expected {recorded!r}, got {actual!r}"

    def _match_object(self, recorded: dict[str, Any], actual: dict[str, Any], where: str) -> None:
        expected = [self._to_actual.get(key, key) for key in recorded]
        unbound = [_ID.match(key) is not None and key not in self._to_actual for key in recorded]
        same_keys = len(expected) == len(actual) and all(
            free or one == other for one, other, free in zip(expected, actual, unbound, strict=True)
        )
        assert same_keys, f"{where}: expected the keys {expected}, got {list(actual)}"
        for key, other in zip(recorded, actual, strict=True):
            self._match_text(key, other, f"{where} key")
            self.match(recorded[key], actual[other], f"{where}.{key}")

    def _match_text(self, recorded: str, actual: object, where: str) -> None:
        assert isinstance(actual, str), f"{where}: expected {recorded!r}, got {actual!r}"
        if _ID.match(recorded):
            self._bind(recorded, actual, where)
        elif is_time(recorded) and recorded.startswith(_YEAR_OF_RECORDING):
            assert is_time(actual), f"{where}: expected a time, got {actual!r}"
        else:
            assert actual == recorded, f"{where}: expected {recorded!r}, got {actual!r}"

    def _bind(self, recorded: str, actual: str, where: str) -> None:
        assert _ID.match(actual), f"{where}: expected an id, got {actual!r}"
        assert actual.partition("-")[0].isalpha() == recorded.partition("-")[0].isalpha(), f"{where}: {actual!r}"
        known = self._to_actual.setdefault(recorded, actual)
        assert known == actual, f"{where}: expected {known!r} for {recorded!r}, got {actual!r}"
        back = self._to_recorded.setdefault(actual, recorded)
        assert back == recorded, f"{where}: {actual!r} stands for {back!r} and {recorded!r}"
