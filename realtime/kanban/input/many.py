"""Bounded errors for long lists and objects from outside: the first errors are listed, the others are counted.

pydantic keeps an error for each entry: 250 bytes, and 1 KB once it is read. The errors of 300,000 wrong entries (1 MB
of JSON) took 600 MB. `Many` validates the entries in pieces. When it has enough errors to list, it only counts.
From then on each entry is validated only up to its first mistake, so the count is a lower bound.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from threading import local
from typing import Any

from pydantic import ValidationError, ValidatorFunctionWrapHandler, WrapValidator
from pydantic_core import InitErrorDetails, PydanticCustomError

from realtime.errors import MAX_FIELD_ERRORS, OMITTED

__all__ = ["Many", "stopping_early"]

#: Entries that are validated in one call; only the errors of so many entries exist at the same time.
PIECE = 100


class _Tally(local):
    """Counts of the validation that runs in this thread."""

    #: Errors that were counted but not listed, and the "more" entries in lists of errors that stand for them.
    omitted = 0
    notes = 0
    stops_early = False


_tally = _Tally()


@contextmanager
def stopping_early(does: bool = True) -> Iterator[None]:
    """Within the block, if `does`, stop a validation at its first mistakes: the caller only asks whether it fits."""
    before, _tally.stops_early = _tally.stops_early, _tally.stops_early or does
    try:
        yield
    finally:
        _tally.stops_early = before


def _in_pieces(value: Any, validate: ValidatorFunctionWrapHandler) -> Any:
    if not isinstance(value, list | tuple | dict) or len(value) <= PIECE:
        return validate(value)
    fitted: list[Any] = []
    found = _Found()
    for start, piece in _pieces(value):
        try:
            with stopping_early(found.is_full):
                fitted.append(validate(piece))
        except ValidationError as error:
            if _tally.stops_early:
                raise
            found.add(error, start)
    if found.errors:
        raise found.error()
    if isinstance(value, dict):
        return {key: entry for piece in fitted for key, entry in piece.items()}
    return tuple(entry for piece in fitted for entry in piece)


def _pieces(value: list[Any] | tuple[Any, ...] | dict[Any, Any]) -> Iterator[tuple[int | None, Any]]:
    """Yield the pieces; each piece of a list comes with the index of its first entry, others with None."""
    if isinstance(value, dict):
        entries = iter(value.items())
        while piece := dict(islice(entries, PIECE)):
            yield None, piece
    else:
        for start in range(0, len(value), PIECE):
            yield start, value[start : start + PIECE]


class _Found:
    """Errors in the pieces of one value: the first are listed, the others counted."""

    def __init__(self) -> None:
        self.errors: list[InitErrorDetails] = []
        self._omitted = 0
        # From here on this object reports the errors that a nested `Many` counted.
        self._omitted_before, self._notes_before = _tally.omitted, _tally.notes

    @property
    def is_full(self) -> bool:
        """Whether as many errors are listed as an answer may have; from here on they are counted only."""
        return len(self.errors) >= MAX_FIELD_ERRORS

    def add(self, error: ValidationError, start: int | None) -> None:
        """Add the errors of a piece of a list, whose first entry has the index `start`; None = a piece of an object."""
        inner, notes = _tally.omitted - self._omitted_before, _tally.notes - self._notes_before
        self._omitted += error.error_count() - notes + inner
        _tally.omitted, _tally.notes = self._omitted_before, self._notes_before
        room = MAX_FIELD_ERRORS - len(self.errors)
        if room:
            listed = [one for one in error.errors(include_url=False, include_context=False) if one["type"] != OMITTED]
            self.errors += [_again(one, start) for one in listed[:room]]
            self._omitted -= len(listed[:room])

    def error(self) -> ValidationError:
        """Return the error of the whole value: the listed errors, then the number of the others."""
        if self._omitted:
            note = PydanticCustomError(OMITTED, "{count} more", {"count": self._omitted})
            self.errors.append(InitErrorDetails(type=note, loc=(), input=None))
            _tally.omitted += self._omitted
            _tally.notes += 1
        return ValidationError.from_exception_data("Many", self.errors)


def _again(found: Any, start: int | None) -> InitErrorDetails:
    """Return an error in the form for a new `ValidationError`, with its index in the whole list."""
    first, *rest = found["loc"]
    place = (first if start is None else first + start, *rest)
    # The message is complete: without a context pydantic formats nothing into it.
    return InitErrorDetails(type=PydanticCustomError(found["type"], found["msg"]), loc=place, input=found["input"])


#: Annotation of a `tuple` or `dict` whose number of entries the client chooses.
Many = WrapValidator(_in_pieces)
