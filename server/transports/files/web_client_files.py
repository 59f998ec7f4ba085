"""The files of a built single-page web client: `--web-client DIR` (docs/operating.md, "Pages").

The address of a file returns the file. Every other address belongs to the web client and returns its `index.html`.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Scope

from server.transports.files.packed_files import FOR_EVER, PackedFiles

__all__ = ["WebClient"]

INDEX = "index.html"
#: First segment of the server's own addresses, including unknown ones.
OWN = frozenset({"api", "graphql", "metrics", "static", "boardcast"})
#: Allows the web client's own scripts, styles and pictures, and forbids frames (docs/operating.md, "Pages").
POLICY = "frame-ancestors 'none'; object-src 'none'; base-uri 'self'; form-action 'self'"
#: Folder in which Vite names each file by a hash of its content, so a file never changes.
HASHED = "assets"
#: Media types that the tables of some systems lack or have wrong.
MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
}


class WebClient(PackedFiles):
    """ASGI application. It serves no file outside the folder, even if a link in the folder leads there."""

    def __init__(self, folder: Path) -> None:
        """Serve `folder`, which has an `index.html`."""
        super().__init__(directory=folder, follow_symlink=False)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return a file, or the page if the address is no file.

        Raises:
            HTTPException: 404, the address belongs to the server, or to a missing file; 405, another method.
        """
        address = PurePosixPath(scope["path"])
        first = address.parts[1] if len(address.parts) > 1 else ""
        if first in OWN or any(part.startswith(".") for part in address.parts):
            raise HTTPException(404)
        try:
            return await super().get_response(path, scope)
        except HTTPException as missing:
            if missing.status_code == 405:
                raise
            if not _may_be_page(address, first, scope):
                raise HTTPException(404) from missing
        return await super().get_response(INDEX, scope)

    def media_type_of(self, path: Path) -> str | None:
        """Return the media type of a file; None = unknown."""
        return MEDIA_TYPES.get(path.suffix) or super().media_type_of(path)

    def headers_of(self, path: Path) -> dict[str, str]:
        """Return the Cache-Control of a file, and the policy."""
        cache = FOR_EVER if path.parent.name == HASHED else "no-cache"
        return {"Cache-Control": cache, "Content-Security-Policy": POLICY}


def _may_be_page(address: PurePosixPath, first: str, scope: Scope) -> bool:
    """Return whether an address without a file is a page of the web client.

    A missing script must not return the page: browsers would then report a misleading error.
    """
    accept = dict(scope["headers"]).get(b"accept", b"")
    return b"text/html" in accept or (first != HASHED and not address.suffix)
