"""Logging: structured lines on standard error, those of the libraries included.

A client can make the server write lines, but not many (`server.runtime.repeated_lines`), no long ones, no forged ones,
and none with a secret in it.
"""

from __future__ import annotations

import logging
import re
import sys
import time
import warnings
from typing import Any

import structlog

from server.runtime.repeated_lines import RepeatedLines

__all__ = ["LimitedHandler", "set_up_logs"]

#: Most characters of one value in a line. A traceback may have more.
MAX_CHARACTERS = 1000
MAX_TRACEBACK_CHARACTERS = 20_000
#: What a terminal or a reader of lines takes for more than text: controls of C0 and C1, separators of lines, marks that
#: turn the direction of writing.
_CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_CONTROL_BUT_NEWLINE = re.compile(_CONTROL.pattern.replace("\x0a", "\x0b", 1))
#: Tokens as they travel (docs/protocol.md, "Access, hosts and origins"): in an address, a header or a subprotocol.
_SECRET = re.compile(r"(access_token=|bearer[ .])[^\s&\"',;]+", re.IGNORECASE)
#: Lines of the libraries about what a client did: no news to an operator, and nothing he can mend.
_OF_CLIENTS = ("Invalid HTTP request received", "Unsupported upgrade request", "socket.send() raised exception")
#: Parts of a GraphQL operation that has been given up: nobody awaits them any more.
_GIVEN_UP = r"coroutine '(Executor|GraphQLCoreConverter)\.\S*' was never awaited"


class LimitedHandler(logging.StreamHandler[Any]):
    """Writes lines, of equal ones a few a minute; `close` tells of those that were left out last."""

    def __init__(self, stream: Any, level: int) -> None:
        """Write to `stream` what is of `level` or above."""
        super().__init__(stream)
        self._level = level
        self._repeated = RepeatedLines()

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line, and those about lines that were left out before it."""
        if record.levelno > logging.INFO and str(record.msg).startswith(_OF_CLIENTS):
            record.levelno, record.levelname = logging.INFO, logging.getLevelName(logging.INFO)
        if record.levelno >= self._level:
            for line in self._repeated.passed(record, time.monotonic()):
                super().emit(line)

    def close(self) -> None:
        """Write what is still to be told of lines that were left out."""
        for line in self._repeated.rest():
            super().emit(line)
        super().close()


def set_up_logs(level: str) -> None:
    """Send every log record of `level` and above through one formatter; called once, by `__main__`."""
    shared: list[structlog.types.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: structlog.types.Processor = (
        structlog.dev.ConsoleRenderer() if sys.stderr.isatty() else structlog.processors.LogfmtRenderer()
    )
    handler = LimitedHandler(sys.stderr, logging.getLevelNamesMapping()[level.upper()])
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                harmless,
                renderer,
            ],
        )
    )
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # Alembic tells of every start, uvicorn of every socket; neither is news.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    logging.getLogger("uvicorn.error").setLevel(max(logging.WARNING, logging.getLogger().level))
    warnings.filterwarnings("ignore", _GIVEN_UP, RuntimeWarning)


def harmless(logger: object, method: str, line: structlog.types.EventDict) -> structlog.types.EventDict:
    """Return the values of a line without secrets, cut, and with every control character spelt out (a processor)."""
    return {key: _harmless(key, value) for key, value in line.items()}


def _harmless(key: str, value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    is_traceback = key == "exception"
    text = _shortened(str(value), MAX_TRACEBACK_CHARACTERS if is_traceback else MAX_CHARACTERS)
    return (_CONTROL_BUT_NEWLINE if is_traceback else _CONTROL).sub(_spelt, _SECRET.sub(r"\1…", text))


def _shortened(text: str, characters: int) -> str:
    if len(text) <= characters:
        return text
    # The end of a traceback says what happened.
    half = characters // 2
    return f"{text[:half]} … {len(text) - 2 * half} characters … {text[-half:]}"


def _spelt(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode()
