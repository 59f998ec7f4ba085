"""How a command fails: one line on standard error, and an exit code."""

from __future__ import annotations

import sys
from typing import NoReturn

__all__ = ["REFUSED", "USAGE", "CommandFailed", "ReaderLeft", "escaped", "fail", "notice", "say", "unwritable"]

#: The server or the database refused, or did not answer.
REFUSED = 1
#: The command cannot be carried out as it is written, or on this database.
USAGE = 2


class CommandFailed(Exception):
    """A command cannot be carried out; the text is the sentence for people."""

    def __init__(self, sentence: str, *, code: int = REFUSED) -> None:
        """End with `code`."""
        super().__init__(sentence)
        self.code = code


class ReaderLeft(Exception):
    """The reader of standard output has left (`… | head`)."""


def say(text: str) -> None:
    """Print a line of the result at once.

    Raises:
        ReaderLeft: nobody reads it. An `OSError` would look like one of a connection.
        CommandFailed: it cannot be written, because the disk is full, or the like.
    """
    try:
        print(text, flush=True)
    except BrokenPipeError:
        raise ReaderLeft from None
    except OSError as error:
        raise CommandFailed(unwritable(error)) from None


def unwritable(error: OSError) -> str:
    """Return the sentence about standard output that cannot be written."""
    return f"cannot write to standard output: {error.strerror or error}"


def fail(sentence: str, code: int) -> NoReturn:
    """Print a sentence as one line, and leave."""
    notice(sentence)
    sys.exit(code)


def notice(sentence: str) -> None:
    """Print a sentence for people as one line on standard error."""
    print(f"boardcast: {escaped(' '.join(sentence.split()))}", file=sys.stderr, flush=True)


def escaped(text: str) -> str:
    """Return a foreign text, harmless for a terminal: without control characters and marks of direction."""
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)
