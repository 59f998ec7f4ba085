"""Where keys come from: a setting that never changes, or an https address that is read again when keys rotate."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol
from urllib.request import HTTPRedirectHandler, Request, build_opener

from realtime.tasks import retrieve
from server.access.jwt_keys import BadKey, Key, keys_of, keys_of_set

__all__ = ["FixedKeys", "KeySource", "RemoteKeys", "fetched", "open_keys"]

log = logging.getLogger(__name__)
#: A document of keys is read again after this time, and for an unknown key id, but not more often than each pause.
MAX_AGE_SECONDS, PAUSE_SECONDS = 600.0, 10.0
FETCH_SECONDS = 5.0
MAX_BYTES = 1024 * 1024
#: A setting that begins so, or has a dot, is meant as a file: a misspelt name must not become a secret.
_FILE_STARTS = ("/", "~")


class KeySource(Protocol):
    """Gives the keys that verify JSON Web Tokens."""

    @property
    def keys(self) -> Sequence[Key]:
        """The keys that are known now."""

    async def prepare(self, key_id: str | None) -> None:
        """Return once the keys are as fresh as they can be for a token with this `kid`; raises nothing."""

    async def aclose(self) -> None:
        """End what still runs; from then on the keys stay as they are."""


class FixedKeys:
    """Keys of a file, or of the setting itself."""

    def __init__(self, keys: Sequence[Key]) -> None:
        """Keep `keys`."""
        self.keys = keys

    async def prepare(self, key_id: str | None) -> None:
        """Return at once: these keys never change."""

    async def aclose(self) -> None:
        """Return at once: nothing runs."""


class RemoteKeys:
    """The keys of a JSON Web Key Set at an https address. While the address does not answer, the last keys count."""

    def __init__(self, url: str, fetch: Callable[[str], bytes], clock: Callable[[], float] = time.monotonic) -> None:
        """Start without keys; `fetch` reads the document in a thread, and `clock` returns seconds."""
        self.keys: Sequence[Key] = ()
        self._url = url
        self._fetch = fetch
        self._clock = clock
        self._asked_at: float | None = None
        self._read_at: float | None = None
        self._reading: asyncio.Task[None] | None = None
        self._is_closed = False

    async def prepare(self, key_id: str | None) -> None:
        """Read the document if it is old, or lacks this key id. All callers wait for one reading, none for long."""
        now = self._clock()
        is_old = self._read_at is None or now - self._read_at > MAX_AGE_SECONDS
        is_unknown = key_id is not None and all(key.id != key_id for key in self.keys)
        if self._is_closed or (not is_old and not is_unknown):
            return
        if self._reading is None:
            if self._asked_at is not None and now - self._asked_at < PAUSE_SECONDS:
                return
            self._asked_at = now
            self._reading = asyncio.create_task(self._read(), name="jwt keys")
            self._reading.add_done_callback(retrieve)
        # Not awaited itself: a client that leaves does not stop the reading for the others, and its end is no error.
        waited = 0.0 if self._asked_at is None else now - self._asked_at
        await asyncio.wait([self._reading], timeout=max(0.0, FETCH_SECONDS - waited))

    async def aclose(self) -> None:
        """Stop a reading; its thread ends by itself when the address does not answer in time. Allowed twice."""
        self._is_closed = True
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.wait([self._reading])

    async def _read(self) -> None:
        try:
            self.keys = keys_of_set(await asyncio.to_thread(self._fetch, self._url), allow_secrets=False)
            self._read_at = self._clock()
        except (BadKey, OSError, ValueError) as error:
            log.warning("the keys of --jwt-key could not be read, the last ones count: %s", error)
        finally:
            self._reading = None


def open_keys(setting: str) -> KeySource:
    """Return the keys that `--jwt-key` names: an https address, a file, or a secret.

    Raises:
        BadKey: it names none.
    """
    text = setting.strip()
    if text.startswith("http://"):
        raise BadKey("expected an https address; over http, anybody on the way could replace the keys")
    if text.startswith("https://"):
        return RemoteKeys(text, fetched)
    if text.startswith(("{", "-----BEGIN")) or not _is_file(text):
        return FixedKeys(keys_of(text))
    path = Path(text).expanduser()
    try:
        return FixedKeys(keys_of(path.read_text()))
    except (OSError, UnicodeDecodeError) as error:
        raise BadKey(f"expected a file with a key, cannot read {path}: {getattr(error, 'strerror', error)}") from None


class _NoRedirects(HTTPRedirectHandler):
    """Refuses redirects, which could lead away from https."""

    def redirect_request(self, *_: Any) -> None:
        """Follow no redirect: urllib then raises the answer as an error."""


def _is_file(text: str) -> bool:
    if text.startswith(_FILE_STARTS) or "." in text:
        return True
    try:
        return Path(text).is_file()
    except (OSError, ValueError):  # no name of a file: too long, or with a NUL
        return False


def fetched(url: str) -> bytes:
    """Return the document at an address, without following redirects. Blocks.

    Raises:
        OSError, ValueError: it cannot be read, comes too slowly, or is too large.
    """
    until = time.monotonic() + FETCH_SECONDS
    request = Request(url, headers={"Accept": "application/json"})  # https, see `open_keys`
    with build_opener(_NoRedirects).open(request, timeout=FETCH_SECONDS) as answer:
        read = b""
        while piece := answer.read1(MAX_BYTES):
            read += piece
            if len(read) > MAX_BYTES:
                raise ValueError(f"expected at most {MAX_BYTES} bytes, got more")
            # The timeout of urllib is one for each piece.
            if time.monotonic() > until:
                raise TimeoutError(f"expected the whole document within {FETCH_SECONDS:g} s, got {len(read)} bytes")
    return read
