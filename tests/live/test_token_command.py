"""`boardcast token`: on the database of a server that does not run, and on a server that runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anyio
import orjson
import pytest
from anyio.abc import SocketAttribute, SocketStream

from tests.kit.access_tokens import ADMIN, Admin
from tests.kit.deadline import deadline
from tests.live.command import Ended, ended, running

_WAIT_UNITS = 90
_CI = ("--name", "ci", "--boards", "a, b", "--can", "publish,read")
_OPERATOR = {"BOARDCAST_TOKEN": ADMIN}
_REQUIRED = {"BOARDCAST_REQUIRE_TOKEN": "true"}


async def _token(folder: Path, *words: str, env: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
    """Run the command, which must succeed, and return what it prints."""
    gone = await ended(folder, "token", *words, env=env)
    assert (gone.code, gone.err) == (0, ""), gone
    return [orjson.loads(line) for line in gone.out.splitlines()]


async def _status(server: Any, secret: str) -> int:
    return (await Admin(server.address, secret).ask("GET", target="/api/v1/projects")).status


async def test_database_of_no_server_gets_its_first_token(tmp_path: Path) -> None:
    async with deadline(_WAIT_UNITS):
        (made,) = await _token(tmp_path, "create", *_CI, "--expires-at", "2999-01-01T00:00:00Z")
        (other,) = await _token(tmp_path, "create", "--name", "x", "--boards", "*", "--can", "read")
        listed = await _token(tmp_path, "list")
        assert await _token(tmp_path, "revoke", other["id"]) == []
        async with running(tmp_path, env=_REQUIRED) as server:
            statuses = [await _status(server, one["token"]) for one in (made, other)]
    assert {name: made[name] for name in ("name", "boards", "can")} == {
        "name": "ci",
        "boards": ["a", "b"],
        "can": ["publish", "read"],
    }
    assert [one["id"] for one in listed] == [made["id"], other["id"]]
    assert [one["expiresAt"] for one in listed] == ["2999-01-01T00:00:00.000Z", None]
    assert made["token"] not in orjson.dumps(listed).decode()
    assert statuses == [200, 401]


async def test_running_server_is_asked_by_its_address(tmp_path: Path) -> None:
    async with deadline(_WAIT_UNITS), running(tmp_path, env={"BOARDCAST_TOKENS": ADMIN}) as server:
        host, port = server.address
        url = ("--url", f"http://{host}:{port}/")
        database = f"sqlite:///{tmp_path / 'boardcast.db'}"
        elsewhere = tmp_path / "elsewhere"  # each process writes its errors to its own folder
        elsewhere.mkdir()
        (made,) = await _token(elsewhere, "create", *_CI, *url, env=_OPERATOR)
        assert await _status(server, made["token"]) == 200
        (listed,) = await _token(elsewhere, "list", *url, env=_OPERATOR)
        assert listed["lastUsedAt"] is not None
        assert await _token(elsewhere, "revoke", made["id"], *url, env=_OPERATOR) == []
        assert await _status(server, made["token"]) == 401
        refused = [
            await ended(elsewhere, "token", "revoke", made["id"], *url, env=_OPERATOR),
            await ended(elsewhere, "token", "list", *url),
            await ended(elsewhere, "token", "create", *_CI[:-1], "fly", *url, env=_OPERATOR),
            await ended(elsewhere, "token", "list", "--database-url", database),
        ]
    assert [(one.code, one.out, one.err.count("\n")) for one in refused] == [(1, "", 1)] * 3 + [(2, "", 1)]
    assert refused[0].err == f"boardcast: http://{host}:{port}/ answered 404: Token not found\n"
    assert " answered 401: expected a token" in refused[1].err
    assert "answered 400: can.0: " in refused[2].err
    assert "while a server runs, ask it: --url, and the token of an admin in BOARDCAST_TOKEN" in refused[3].err
    assert ADMIN not in "".join(one.err for one in refused)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ((), 2, "Missing command. See: boardcast token --help"),
        (("create", "--name", "x"), 2, "--boards"),
        (("create", *_CI[:-1], "fly"), 1, "can.0: "),
        (("create", *_CI, "--expires-at", "2020-01-01T00:00:00Z"), 1, "expiresAt: expected a time after "),
        (("revoke", "tok-unknown"), 1, "Token not found"),
        (("list", "--database-url", "mysql://nowhere"), 2, "mysql"),
        (("list", "--url", "ftp://nowhere"), 1, "--url: expected an address that begins with http"),
        (("list", "--url", "http://127.0.0.1:1"), 1, "cannot ask http://127.0.0.1:1: "),
    ],
    ids=lambda value: " ".join(value[:1]) if isinstance(value, tuple) else None,
)
async def test_wrong_command_has_a_sentence_and_a_code(
    words: tuple[str, ...], code: int, said: str, tmp_path: Path
) -> None:
    async with deadline(_WAIT_UNITS):
        gone = await ended(tmp_path, "token", *words)
    assert (gone.code, gone.out) == (code, "")
    assert said in gone.err
    assert "Traceback" not in gone.err


async def _asked(folder: Path, answer: bytes) -> tuple[Ended, list[bytes]]:
    """Return the end of a command whose server gives `answer`, and the requests that came."""
    requests: list[bytes] = []

    async def serve(stream: SocketStream) -> None:
        async with stream:
            requests.append(await stream.receive())
            await stream.send(answer)

    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener, anyio.create_task_group() as group:
        group.start_soon(listener.serve, serve)
        port = listener.extra(SocketAttribute.raw_socket).getsockname()[1]
        gone = await ended(folder, "token", "list", "--url", f"http://127.0.0.1:{port}", env=_OPERATOR)
        group.cancel_scope.cancel()
    return gone, requests


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n", "answered 302: Found"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[}", "cannot ask"),
        (b"nothing like HTTP\r\n\r\n", "cannot ask"),
    ],
    ids=["redirect", "no-json", "no-http"],
)
async def test_server_that_is_another_gets_one_request(answer: bytes, said: str, tmp_path: Path) -> None:
    async with deadline(_WAIT_UNITS):
        gone, requests = await _asked(tmp_path, answer)
    assert (gone.code, gone.out, len(requests)) == (1, "", 1)
    assert said in gone.err
    assert "Traceback" not in gone.err
