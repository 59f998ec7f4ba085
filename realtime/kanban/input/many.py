"""Lists and objects of many entries from outside: what does not fit is listed up to a bound, then counted.

pydantic keeps an error for each entry, 250 bytes each and 1 KB when it is read: 300,000 wrong entries, which are 1 MB
of JSON, took 600 MB. `Many` has the entries validated in pieces, and goes on with a count when enough is known. What is
inside of those entries is then looked at no further than to its first mistakes, so the count is the least there can be.
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

#: Entries that are validated at once, so that no more than their errors exist at a time.
PIECE = 100


class _Tally(local):
    """What was left out by the validation that runs in this thread."""

    #: Errors that were counted and not kept, and the entries of a list of errors that stand for them.
    omitted = 0
    notes = 0
    stops_early = False


_tally = _Tally()


@contextmanager
def stopping_early(does: bool = True) -> Iterator[None]:
    """Within the block, if `does`, nobody wants to know more than that something does not fit."""
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
    """Yield pieces, those of a list with the index at which they begin."""
    if isinstance(value, dict):
        entries = iter(value.items())
        while piece := dict(islice(entries, PIECE)):
            yield None, piece
    else:
        for start in range(0, len(value), PIECE):
            yield start, value[start : start + PIECE]


class _Found:
    """Errors of the pieces of one value: the first are kept, the others counted."""

    def __init__(self) -> None:
        self.errors: list[InitErrorDetails] = []
        self._omitted = 0
        # What `Many` deeper inside has left out is ours to tell from here on.
        self._omitted_before, self._notes_before = _tally.omitted, _tally.notes

    @property
    def is_full(self) -> bool:
        return len(self.errors) >= MAX_FIELD_ERRORS

    def add(self, error: ValidationError, start: int | None) -> None:
        inner, notes = _tally.omitted - self._omitted_before, _tally.notes - self._notes_before
        self._omitted += error.error_count() - notes + inner
        _tally.omitted, _tally.notes = self._omitted_before, self._notes_before
        room = MAX_FIELD_ERRORS - len(self.errors)
        if room:
            listed = [one for one in error.errors(include_url=False, include_context=False) if one["type"] != OMITTED]
            self.errors += [_again(one, start) for one in listed[:room]]
            self._omitted -= len(listed[:room])

    def error(self) -> ValidationError:
        if self._omitted:
            note = PydanticCustomError(OMITTED, "{count} more", {"count": self._omitted})
            self.errors.append(InitErrorDetails(type=note, loc=(), input=None))
            _tally.omitted += self._omitted
            _tally.notes += 1
        return ValidationError.from_exception_data("Many", self.errors)


def _again(found: Any, start: int | None) -> InitErrorDetails:
    """Return an error as another validation is to report it, at its index in the whole list."""
    first, *rest = found["loc"]
    place = (first if start is None else first + start, *rest)
    # The sentence as it is: pydantic fills in nothing where there is no context.
    return InitErrorDetails(type=PydanticCustomError(found["type"], found["msg"]), loc=place, input=found["input"])


#: Annotation of a `tuple` or `dict` that holds as many entries as the client likes.
Many = WrapValidator(_in_pieces)
