"""The least that Python does for a request: an application of ten lines under uvicorn, with httptools and uvloop."""

from __future__ import annotations

import socket

import uvicorn
from starlette.types import Receive, Scope, Send

__all__ = ["main"]

_BODY = b'{"status":"ok"}'
_HEADERS = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(_BODY))]


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer every request with the same bytes."""
    await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
    await send({"type": "http.response.body", "body": _BODY})


def main() -> None:
    """Serve on a free port, whose address is the first line of the output."""
    config = uvicorn.Config(app, http="httptools", loop="uvloop", lifespan="off", log_level="error", access_log=False)
    with socket.create_server(("127.0.0.1", 0), backlog=2048) as listening:
        print("Listening on http://{}:{}".format(*listening.getsockname()), flush=True)
        uvicorn.Server(config).run([listening])


if __name__ == "__main__":
    main()
