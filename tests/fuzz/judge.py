"""The definition of a fault. The module is pure, so that its tests can show it every error of a server."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from tests.fuzz.answers import Answer, NotHttp, read_answers, read_frames
from tests.fuzz.exchange import Outcome
from tests.fuzz.inputs import Input
from tests.kit.raw_socket import CLOSE

__all__ = ["Fault", "Kind", "is_turned_away", "judge", "log_faults"]


class Kind(StrEnum):
    """The rows of the report."""

    SERVER_ERROR = "5xx"
    TRACEBACK = "traceback"
    UNENDED = "end without code"
    HANG = "hang"
    WITNESS = "another client"
    WAIT = "longest wait"
    MEMORY = "memory"


@dataclass(frozen=True)
class Fault:
    """A fault of the server."""

    kind: Kind
    what: str
    #: Numbers of the inputs that may have caused it. There are several if they ran at the same time.
    numbers: tuple[int, ...] = ()


#: RFC 9110: the server does not support the method or the version. This is an answer to a request, and not our fault.
_PERMITTED = {501, 505}
#: RFC 6455, 7.4: the permitted codes. 1011 would be our own fault, and 1006 and others are never sent.
_SENDABLE = {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1012, 1013, 1014}
_OWN_FAULT = 1011
#: Signs of our own fault, or a library's, in a body or a message.
_TELLTALES = re.compile(
    rb'INTERNAL_SERVER_ERROR|"code":"internal|internal_error|Traceback \(most|sqlalchemy|sqlite3\.|\[SQL:'
)
_LOGGED = re.compile(
    r"Traceback \(most recent call last\)|\blevel=(?:error|critical)\b|never (?:retrieved|awaited)|Exception ignored"
)

_EVENT = re.compile(r'event=("(?:[^"\\]|\\.)*"|\S+)')


def judge(one: Input, outcome: Outcome) -> list[Fault]:
    """Return the faults in the result of an input."""
    return [Fault(kind, f"{one.entry}: {what}", (one.number,)) for kind, what in _faults(one, outcome)]


def is_turned_away(one: Input, outcome: Outcome) -> bool:
    """Return whether the server refused because of a limit: 429 or 503 with `Retry-After`, 1013."""
    try:
        answers = read_answers(outcome.received, head_only=one.head_only)
    except NotHttp:
        return False
    if any(answer.status in {429, 503} and b"retry-after" in answer.fields for answer in answers.found):
        return True
    frames = read_frames(answers.upgraded or b"").found
    return any(frame.opcode == CLOSE and frame.payload[:2] == (1013).to_bytes(2, "big") for frame in frames)


def log_faults(text: str) -> list[str]:
    """Return the lines of a server's log that no client should be able to cause."""
    return [_short(line) for line in text.splitlines() if _LOGGED.search(line)]


def _short(line: str) -> str:
    """Return the event, and the last lines of a traceback, which name the place."""
    event = _EVENT.search(line)
    lines = [part.strip() for part in line.split(r"\n") if part.strip(' "^~')]
    places = [part for part in lines if "File" in part and "site-packages" not in part][-1:]
    return " | ".join([event[1] if event else line[:100], *places, *lines[-1:]])[:600]


def _faults(one: Input, outcome: Outcome) -> Iterator[tuple[Kind, str]]:
    if outcome.hung is not None:
        yield Kind.HANG, f"waited in vain for {outcome.hung}; got {outcome.received[:200]!r}"
    try:
        answers = read_answers(outcome.received, head_only=one.head_only)
    except NotHttp as error:
        yield Kind.UNENDED, str(error)
        return
    for answer in answers.found:
        yield from _answer_faults(answer)
    if answers.upgraded is not None:
        yield from _socket_faults(one, outcome, answers.upgraded)
    elif outcome.hung is None:
        yield from _connection_faults(one, outcome, answers.found)


def _answer_faults(answer: Answer) -> Iterator[tuple[Kind, str]]:
    if answer.status >= 500 and answer.status not in _PERMITTED:
        limited = answer.status == 503 and b"retry-after" in answer.fields and b"store" not in answer.body
        if not limited:
            yield Kind.SERVER_ERROR, f"{answer.status} {answer.body[:300]!r}"
            return
    kind = answer.fields.get(b"content-type", b"")
    if b"javascript" not in kind and b"html" not in kind and (found := _TELLTALES.search(answer.body)):
        yield Kind.SERVER_ERROR, f"{answer.status} reveals {found[0]!r}: {_around(answer.body, found.start())!r}"


def _connection_faults(one: Input, outcome: Outcome, answers: list[Answer]) -> Iterator[tuple[Kind, str]]:
    """Yield the faults in the end of an HTTP connection (RFC 9112, 9.6: not before the answer was read)."""
    how = one.leaves.how if one.leaves is not None else None
    # A stream need not end for a client that has half-closed: the server cannot distinguish it from one that has left.
    is_cut_stream = how == "half-close" and bool(answers) and answers[-1].is_stream
    if outcome.ended is None or how == "reset" or is_cut_stream:
        return
    if not answers and one.owed:
        yield Kind.UNENDED, f"ended ({outcome.ended}) without an answer"
    elif answers and not answers[-1].whole and not answers[-1].to_the_end and not outcome.overflowed:
        yield Kind.UNENDED, f"ended ({outcome.ended}) in the middle of an answer {answers[-1].status}"
    elif 0 < len(answers) < one.owed and not answers[-1].closes:
        yield (
            Kind.UNENDED,
            f"ended ({outcome.ended}) after {len(answers)} of {one.owed} answers, without Connection: close",
        )


def _socket_faults(one: Input, outcome: Outcome, behind: bytes) -> Iterator[tuple[Kind, str]]:
    """Yield the faults after a handshake (RFC 6455, 7.1.7 and 7.4: an end has a code)."""
    frames = read_frames(behind)
    if frames.fault:
        yield Kind.UNENDED, frames.fault
        return
    if found := next((match for frame in frames.found if (match := _TELLTALES.search(frame.payload))), None):
        yield Kind.SERVER_ERROR, f"a message reveals {_around(found.string, found.start())!r}"
    codes = [
        int.from_bytes(frame.payload[:2], "big") for frame in frames.found if frame.opcode == CLOSE and frame.payload
    ]
    for code in codes:
        if code == _OWN_FAULT:
            yield Kind.SERVER_ERROR, "closed with 1011"
        elif code not in _SENDABLE and not 3000 <= code <= 4999:
            yield Kind.UNENDED, f"closed with {code}, which nobody may send"
    closed = any(frame.opcode == CLOSE for frame in frames.found)
    if outcome.ended is not None and not closed and one.leaves is None and outcome.unasked and not outcome.overflowed:
        yield Kind.UNENDED, f"ended ({outcome.ended}) without a close frame"


def _around(data: bytes, at: int) -> bytes:
    return data[max(at - 150, 0) : at + 200]
