"""Files as answers, compressed with gzip at their first use; the compressed bytes stay in a bounded cache."""

from __future__ import annotations

import asyncio
import os
from collections import OrderedDict
from functools import partial
from mimetypes import guess_type
from pathlib import Path

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.staticfiles import NotModifiedResponse, StaticFiles
from starlette.types import Receive, Scope, Send

from server.concurrency.worker_thread import compressing
from server.protocol.deflate import MIN_BYTES, gzipped
from server.protocol.http.codings import accept_encoding, is_compressible, least_bytes
from server.settings import Settings

__all__ = ["FOR_EVER", "PackedFiles", "file_answer", "unless_known"]

#: Cache-Control of a file whose name has a hash of its content, so that it never changes.
FOR_EVER = "public, max-age=31536000, immutable"
#: Most bytes that are kept compressed. Our own pages have 0.5 MB of them.
MAX_KEPT_BYTES = 16 * 1024 * 1024
#: Size of the largest file that is compressed.
MAX_FILE_BYTES = 16 * 1024 * 1024
#: Level for files: they are compressed once, so it may take long.
_LEVEL = 9

#: A file as it was: path, time of its change in nanoseconds, size.
_Version = tuple[str, int, int]


class _Kept:
    """The compressed files that were used last."""

    def __init__(self) -> None:
        self._files: OrderedDict[_Version, bytes] = OrderedDict()
        self._bytes = 0
        #: Files that the thread compresses now; all who ask for one wait for the same future.
        self._pending: dict[_Version, asyncio.Future[bytes]] = {}

    async def packed(self, version: _Version) -> bytes:
        """Return the file, compressed; a thread reads and compresses it at the first use.

        Raises:
            OSError: the file is gone.
        """
        if version in self._files:
            self._files.move_to_end(version)
            return self._files[version]
        pending = self._pending.get(version)
        if pending is None:
            pending = self._pending[version] = compressing(partial(_pack, version[0]))
            pending.add_done_callback(partial(self._done, version))
        return await asyncio.shield(pending)

    def _done(self, version: _Version, packed: asyncio.Future[bytes]) -> None:
        del self._pending[version]
        if packed.cancelled() or packed.exception() is not None:
            return
        self._files[version] = packed.result()
        self._bytes += len(packed.result())
        while self._bytes > MAX_KEPT_BYTES:
            _, dropped = self._files.popitem(last=False)
            self._bytes -= len(dropped)


_kept = _Kept()


class PackedFile(FileResponse):
    """A file that is sent compressed."""

    def __init__(self, response: FileResponse, stat_result: os.stat_result) -> None:
        """Send the file of `response`, whose compressed bytes have an ETag of their own (RFC 9110, 8.8.3.3)."""
        super().__init__(response.path, headers=dict(response.headers), stat_result=stat_result)
        self._version = (os.fspath(response.path), stat_result.st_mtime_ns, stat_result.st_size)
        self.headers["ETag"] = response.headers["ETag"].removesuffix('"') + '-gzip"'
        self.headers["Content-Encoding"] = "gzip"
        del self.headers["Accept-Ranges"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer GET or HEAD."""
        body = await _kept.packed(self._version)
        self.headers["Content-Length"] = str(len(body))
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": body})


class PackedFiles(StaticFiles):
    """The files of a folder."""

    def media_type_of(self, path: Path) -> str | None:
        """Return the media type of a file; None = unknown."""
        return guess_type(path)[0]

    def headers_of(self, path: Path) -> dict[str, str]:
        """Return further headers of a file."""
        raise NotImplementedError

    def file_response(
        self, full_path: str | os.PathLike[str], stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        """Return the answer with a file, or 304 if the client has it."""
        path = Path(full_path)
        response = file_answer(scope, path, stat_result, self.headers_of(path), self.media_type_of(path))
        if self.is_not_modified(response.headers, Headers(scope=scope)):
            return NotModifiedResponse(response.headers)
        response.status_code = status_code
        return response


def file_answer(
    scope: Scope, path: Path, stat_result: os.stat_result, headers: dict[str, str], media_type: str | None = None
) -> FileResponse:
    """Return the answer with a file, compressed if the client accepts that and asks for no range."""
    response = FileResponse(path, headers=headers, media_type=media_type, stat_result=stat_result)
    settings: Settings = scope["app"].state.settings
    is_worth_it = MIN_BYTES <= stat_result.st_size <= MAX_FILE_BYTES and is_compressible(response.media_type or "")
    if not settings.compression or not is_worth_it:
        return response
    response.headers.add_vary_header("Accept-Encoding")
    has_range = any(name == b"range" for name, _ in scope["headers"])
    if has_range or least_bytes(accept_encoding(scope["headers"])) is None:
        return response
    return PackedFile(response, stat_result)


def unless_known(request: Request, response: FileResponse) -> Response:
    """Return the answer, or 304 if the client has the file with that ETag."""
    known = [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]
    return NotModifiedResponse(response.headers) if response.headers["ETag"] in known else response


def _pack(path: str) -> bytes:
    return gzipped(Path(path).read_bytes(), _LEVEL)
