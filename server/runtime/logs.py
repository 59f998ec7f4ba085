"""Logging: structured lines on standard error, including the lines of the libraries.

A client can cause log lines, but only a few a minute (`server.runtime.repeated_lines`). No line is very long, forged by
a client, or contains a token.
"""

from __future__ import annotations

import logging
import re
import sys
import time
import warnings
from collections.abc import Collection, Mapping
from typing import Any

import orjson
import structlog

from realtime.service.access_log import CHANGES, LINES, REQUESTS
from server.protocol.http.addresses import network_of
from server.runtime.repeated_lines import RepeatedLines

__all__ = ["LimitedHandler", "set_up_logs"]

#: Most characters of one value in a line. A traceback may have more.
MAX_CHARACTERS = 1000
MAX_TRACEBACK_CHARACTERS = 20_000
#: Characters that a terminal or a log reader does not show as text: C0 and C1 controls, line separators, marks that
#: change the direction of writing, and halves of surrogate pairs.
_CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_CONTROL_BUT_NEWLINE = re.compile(_CONTROL.pattern.replace("\x0a", "\x0b", 1))
#: Tokens as clients send them, in an address, a header or a subprotocol (docs/protocol.md, "Access, hosts and
#: origins").
_SECRET = re.compile(r"(access_token=|bearer[ .])[^\s&\"',;]+", re.IGNORECASE)
#: Access tokens and JSON Web Tokens wherever they are, for a client that sends one in the wrong place.
_TOKEN = re.compile(r"(boardcast_|eyJ)[\w-]{16,}(\.[\w-]*)*")
#: Lines of the libraries about a client's mistake: an operator can do nothing about it.
_OF_CLIENTS = ("Invalid HTTP request received", "Unsupported upgrade request", "socket.send() raised exception")
#: A warning about parts of a cancelled GraphQL operation: nothing awaits them any more.
_GIVEN_UP = r"coroutine '(Executor|GraphQLCoreConverter)\.\S*' was never awaited"


class LimitedHandler(logging.StreamHandler[Any]):
    """Writes log lines, but only a few equal ones a minute; `close` reports how many of them it left out."""

    def __init__(self, stream: Any, level: int) -> None:
        """Write lines of `level` or above to `stream`."""
        super().__init__(stream)
        self._level = level
        self._repeated = RepeatedLines()

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line, and before it the reports about lines that were left out."""
        if record.levelno > logging.INFO and str(record.msg).startswith(_OF_CLIENTS):
            record.levelno, record.levelname = logging.INFO, logging.getLevelName(logging.INFO)
        if record.levelno >= self._level:
            for line in self._passed(record):
                super().emit(line)

    def close(self) -> None:
        """Write the remaining reports about lines that were left out."""
        for line in self._repeated.rest():
            super().emit(line)
        super().close()

    def _passed(self, record: logging.LogRecord) -> list[logging.LogRecord]:
        if record.name in (CHANGES, REQUESTS):
            return [record]
        source = network_of(record.__dict__["address"]) if record.name == LINES else None
        return self._repeated.passed(record, time.monotonic(), source)


def set_up_logs(
    level: str, secrets: Collection[str] = (), names: Mapping[str, object] | None = None, form: str = "auto"
) -> None:
    """Send every log record of `level` and above through one formatter; a process calls this once.

    No line has one of `secrets`, which have a form that no rule recognizes. Each line has `names` at its end. `form` is
    that of the setting `log_format`.
    """
    shared: list[structlog.types.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    handler = LimitedHandler(sys.stderr, logging.getLevelNamesMapping()[level.upper()])
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                _Without(secrets),
                harmless,
                lambda _, __, line: {**line, **(names or {})},
                _renderer(form),
            ],
        )
    )
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # Alembic logs every start, and uvicorn every socket; an operator needs neither.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    logging.getLogger("uvicorn.error").setLevel(max(logging.WARNING, logging.getLogger().level))
    warnings.filterwarnings("ignore", _GIVEN_UP, RuntimeWarning)


def _renderer(form: str) -> structlog.types.Processor:
    if form == "json":
        return structlog.processors.JSONRenderer(serializer=lambda line, **_: orjson.dumps(line).decode())
    is_for_people = form == "console" or (form == "auto" and sys.stderr.isatty())
    if is_for_people:
        return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    return structlog.processors.LogfmtRenderer()


class _Without:
    """A processor: leaves secrets out of the values of a line, before they are cut."""

    def __init__(self, secrets: Collection[str]) -> None:
        # The longest first: one secret may begin with another.
        words = "|".join(re.escape(one) for one in sorted(secrets, key=len, reverse=True))
        self._secrets = re.compile(words) if words else None

    def __call__(self, logger: object, method: str, line: structlog.types.EventDict) -> structlog.types.EventDict:
        if self._secrets is None:
            return line
        return {key: value if _is_plain(value) else self._secrets.sub("…", str(value)) for key, value in line.items()}


def harmless(logger: object, method: str, line: structlog.types.EventDict) -> structlog.types.EventDict:
    """Return the values of a line without tokens, shortened, and with escaped control characters (a processor)."""
    return {key: _harmless(key, value) for key, value in line.items()}


def _harmless(key: str, value: Any) -> Any:
    if _is_plain(value):
        return value
    is_traceback = key == "exception"
    text = _shortened(str(value), MAX_TRACEBACK_CHARACTERS if is_traceback else MAX_CHARACTERS)
    public = _TOKEN.sub(r"\1…", _SECRET.sub(r"\1…", text))
    return (_CONTROL_BUT_NEWLINE if is_traceback else _CONTROL).sub(_spelt, public)


def _is_plain(value: object) -> bool:
    return value is None or isinstance(value, bool | int | float)


def _shortened(text: str, characters: int) -> str:
    if len(text) <= characters:
        return text
    # Keep the end too: the end of a traceback has the error.
    half = characters // 2
    return f"{text[:half]} … {len(text) - 2 * half} characters … {text[-half:]}"


def _spelt(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode()
