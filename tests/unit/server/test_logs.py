"""Log lines: a client's text stays one value of one line, cut, and secrets are left out."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator

import orjson
import pytest

from server.runtime.logs import MAX_CHARACTERS, LimitedHandler, harmless, set_up_logs
from server.runtime.repeated_lines import LINES


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """Configure the logs as `__main__` does, with a readable stream; restore them afterwards."""
    root, loggers = logging.getLogger(), [logging.getLogger(name) for name in ("alembic", "uvicorn.error")]
    handlers, levels = root.handlers[:], [one.level for one in (root, *loggers)]
    root.handlers.clear()
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    set_up_logs("info")
    try:
        yield stream
    finally:
        root.handlers[:] = handlers
        for logger, level in zip((root, *loggers), levels, strict=True):
            logger.setLevel(level)


@pytest.mark.parametrize(
    ("came", "said"),
    [
        ("a\nlevel=error", "a\\nlevel=error"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("\r\x00\x9b\u2028\u202e", "\\r\\x00\\x9b\\u2028\\u202e"),
        ("\ud800", "\\ud800"),
        ("Größe → 5", "Größe → 5"),
        ("x" * 5000, "x" * 500 + " … 4000 characters … " + "x" * 500),
        ("GET /?access_token=0123&x=1", "GET /?access_token=…&x=1"),
        ("Authorization: Bearer abc.def", "Authorization: Bearer …"),
        ("['kanban', 'bearer.abc']", "['kanban', 'bearer.…']"),
        ("/api/v1/tokens/boardcast_" + "aB-_" * 11, "/api/v1/tokens/boardcast_…"),
        ("got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln-_ here", "got eyJ… here"),
        ("boardcast_readers boardcast.db", "boardcast_readers boardcast.db"),
        (5, 5),
        (None, None),
    ],
)
def test_value_is_one_harmless_piece_of_text(came: object, said: object) -> None:
    assert harmless(None, "", {"event": came}) == {"event": said}
    assert len(str(said)) <= MAX_CHARACTERS + 50


def test_secret_of_the_settings_is_left_out_wherever_it_is(
    written: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr", written)
    set_up_logs("info", ["s3cret.of(the)-operator", "s3cret.of(the)-operator-2"])
    for text in ("/tokens/s3cret.of(the)-operator", "x" * 490 + "s3cret.of(the)-operator-2" + "x" * 2000):
        logging.getLogger("server.x").info(text, extra={"path": text, "number": 5})
    assert "s3cret" not in written.getvalue()
    assert "number=5" in written.getvalue()


@pytest.mark.parametrize("form", ["json", "console", "logfmt", "auto"])
def test_line_has_the_form_of_the_setting(form: str, written: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr", written)
    set_up_logs("info", ["the-secret-of-all"], {"worker": 2}, form)
    logging.getLogger("server.x").info("said\nit", extra={"path": "/the-secret-of-all", "number": 5, "none": None})
    (line,) = written.getvalue().splitlines()
    assert "the-secret-of-all" not in line
    if form == "json":
        found = orjson.loads(line)
        assert (found["event"], found["level"], found["path"]) == ("said\\nit", "info", "/…")
        assert (found["number"], found["none"], found["worker"]) == (5, None, 2)
    else:
        assert ("number=5 " in f"{line} ", "level=info" in line) == (True, form != "console")


def test_traceback_keeps_its_lines() -> None:
    assert harmless(None, "", {"exception": "Traceback\n  \x1b"}) == {"exception": "Traceback\n  \\x1b"}


def test_line_of_a_client_is_one_line(written: io.StringIO) -> None:
    logging.getLogger("server.x").info("said %s", "hello\nlevel=critical\x1b[2J", extra={"path": "/a b\n"})
    lines = written.getvalue().splitlines()
    assert len(lines) == 1
    assert "\x1b" not in lines[0]
    assert "level=info" in lines[0]


def test_equal_lines_are_few_and_counted_at_the_end(written: io.StringIO) -> None:
    for number in range(1000):
        logging.getLogger("asyncio").warning("socket.send() raised exception.")
        logging.getLogger("server.x").info("client %d left", number)
    logging.getLogger().handlers[0].close()
    lines = written.getvalue().splitlines()
    assert len(lines) == 2 * (LINES + 1)
    assert sum(f"repeated {1000 - LINES} more times" in line for line in lines) == 2


def test_lines_of_libraries_about_clients_are_info(written: io.StringIO) -> None:
    for name, words in (
        ("uvicorn.error", "Invalid HTTP request received."),
        ("asyncio", "socket.send() raised exception"),
    ):
        logging.getLogger(name).warning(words)
    assert [line.count("level=info") for line in written.getvalue().splitlines()] == [1, 1]


def test_they_are_not_written_where_info_is_not() -> None:
    stream = io.StringIO()
    handler = LimitedHandler(stream, logging.WARNING)
    record = logging.LogRecord(
        "uvicorn.error", logging.WARNING, __file__, 1, "Invalid HTTP request received.", (), None
    )
    handler.handle(record)
    assert stream.getvalue() == ""


def test_operation_that_is_given_up_writes_no_warnings(written: io.StringIO) -> None:
    async def part() -> None: ...

    part.__qualname__ = "Executor.execute_fields.<locals>.get_results"
    unfinished = part()
    del unfinished
    assert written.getvalue() == ""
