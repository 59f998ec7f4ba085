"""Keys: texts that are keys, texts that are none, and keys that are read again."""

from __future__ import annotations

import asyncio
import json
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import anyio.lowlevel
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from server.access import key_sources
from server.access.jwt_keys import BadKey, keys_of, keys_of_set
from server.access.key_sources import MAX_AGE_SECONDS, PAUSE_SECONDS, RemoteKeys, open_keys
from tests.kit.deadline import deadline, seconds
from tests.kit.json_web_tokens import SECRET, SIGNERS, key_set, pem_of


def _pem(key: Any) -> str:
    text: bytes = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return text.decode()


_PRIVATE = SIGNERS["ES256"].private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
_SHORT_RSA = rsa.generate_private_key(65537, 1024)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("short", "expected a secret of at least 32 bytes, got 5"),
        ("{", "expected a JSON Web Key Set, got no JSON"),
        ("{}", "expected a JSON Web Key Set with a key for HS256, RS256, ES256, EdDSA, got none"),
        ('{"keys": {}}', 'expected a JSON Web Key Set, an object with "keys"'),
        ('{"keys": [1, {"kty": "RSA"}, {"kty": "?"}]}', "got none"),
        ("-----BEGIN PUBLIC KEY-----\nrubbish\n-----END PUBLIC KEY-----", "expected a PEM public key"),
        (_PRIVATE, "expected a public key, got a private one"),
        (_pem(_SHORT_RSA), "expected an RSA key of at least 2048 bits"),
        (_pem(ec.generate_private_key(ec.SECP384R1())), "a P-256 or an Ed25519 key, got another one"),
    ],
)
def test_text_that_is_no_key_is_refused_without_being_repeated(text: str, sentence: str) -> None:
    with pytest.raises(BadKey) as refused:
        keys_of(text)
    assert sentence in str(refused.value)
    assert "rubbish" not in str(refused.value)


def test_key_has_the_one_algorithm_that_it_is_made_for() -> None:
    assert [key.algorithm for key in keys_of(SECRET)] == ["HS256"]
    for algorithm in ("RS256", "ES256", "EdDSA"):
        assert [key.algorithm for key in keys_of(pem_of(algorithm))] == [algorithm]
        assert [(key.id, key.algorithm) for key in keys_of(key_set(k=algorithm))] == [("k", algorithm)]


def test_public_set_has_no_secrets() -> None:
    secret = {"kty": "oct", "k": "YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE", "kid": "s"}
    text = json.dumps({"keys": [secret, json.loads(key_set(p="ES256"))["keys"][0]]})
    assert [key.id for key in keys_of_set(text, allow_secrets=True)] == ["s", "p"]
    assert [key.id for key in keys_of_set(text, allow_secrets=False)] == ["p"]


def test_keys_for_other_purposes_or_too_weak_are_skipped() -> None:
    usable = json.loads(key_set(k="RS256"))["keys"][0]
    weak = jwt.get_algorithm_by_name("RS256").to_jwk(_SHORT_RSA.public_key(), as_dict=True)
    others = [{**usable, "use": "enc"}, {**usable, "alg": "RS512"}, weak]
    text = json.dumps({"keys": [*others, usable]})
    assert [key.id for key in keys_of(text)] == ["k"]


@pytest.mark.parametrize(
    "name", ["/nowhere/key.pem", "./nowhere", "nowhere.json", "jwt.key-with-a-name-of-more-than-32-characters"]
)
def test_file_that_cannot_be_read_is_named(name: str) -> None:
    with pytest.raises(BadKey, match="expected a file with a key, cannot read"):
        open_keys(name)


def test_setting_is_a_file_or_a_secret(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(pem_of("EdDSA"))
    assert [key.algorithm for key in open_keys(str(file)).keys] == ["EdDSA"]
    assert [key.algorithm for key in open_keys(SECRET).keys] == ["HS256"]
    assert [key.algorithm for key in open_keys(pem_of("EdDSA")).keys] == ["EdDSA"]
    assert [key.algorithm for key in open_keys(key_set(k="ES256")).keys] == ["ES256"]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        assert [key.algorithm for key in open_keys("key").keys] == ["EdDSA"], "a file is never taken for a secret"
    with pytest.raises(BadKey, match="expected an https address"):
        open_keys("http://id.example/keys")


class _Provider:
    """The document of an identity provider, with a count of its readings."""

    def __init__(self) -> None:
        self.document: str | None = key_set(one="ES256")
        self.readings = 0
        self.now = 1000.0

    def fetch(self, url: str) -> bytes:
        """Return the document, or fail."""
        assert url == "https://id.example/keys"
        self.readings += 1
        if self.document is None:
            raise OSError("away")
        return self.document.encode()

    def keys(self) -> RemoteKeys:
        """Return the keys at the address of the document."""
        return RemoteKeys("https://id.example/keys", self.fetch, lambda: self.now)


def _ids(keys: RemoteKeys) -> list[str | None]:
    return [key.id for key in keys.keys]


async def test_document_is_read_once_and_again_for_an_unknown_key() -> None:
    provider = _Provider()
    keys = provider.keys()
    await asyncio.gather(*(keys.prepare("one") for _ in range(5)))
    await keys.prepare("one")
    assert (_ids(keys), provider.readings) == (["one"], 1)
    provider.document = key_set(one="ES256", two="RS256")
    await keys.prepare("two")
    assert provider.readings == 1, "not more often than each pause"
    provider.now += PAUSE_SECONDS
    await keys.prepare("two")
    assert (_ids(keys), provider.readings) == (["one", "two"], 2)


async def test_unknown_keys_cannot_make_the_server_read_without_end() -> None:
    provider = _Provider()
    keys = provider.keys()
    for number in range(50):
        await keys.prepare(f"made up {number}")
    assert provider.readings == 1


async def test_last_keys_count_while_the_address_is_away(caplog: pytest.LogCaptureFixture) -> None:
    provider = _Provider()
    keys = provider.keys()
    await keys.prepare(None)
    provider.document, provider.now = None, provider.now + MAX_AGE_SECONDS + 1
    await keys.prepare("one")
    assert (_ids(keys), provider.readings) == (["one"], 2)
    assert "the keys of --jwt-key could not be read, the last ones count: away" in caplog.messages
    provider.document, provider.now = key_set(two="ES256"), provider.now + PAUSE_SECONDS
    await keys.prepare("one")
    assert _ids(keys) == ["two"], "a withdrawn key is gone"


async def test_reading_ends_when_the_server_stops_and_none_begins() -> None:
    provider, reached, answer = _Provider(), threading.Event(), threading.Event()

    def fetch(url: str) -> bytes:
        reached.set()
        assert answer.wait(seconds(10))
        return provider.fetch(url)

    keys = RemoteKeys("https://id.example/keys", fetch)
    asking = asyncio.create_task(keys.prepare(None))
    async with deadline(10):
        await asyncio.to_thread(reached.wait)
        await keys.aclose()
        await asyncio.wait([asking])
        assert [task.get_name() for task in asyncio.all_tasks() if task.get_name() == "jwt keys"] == []
        answer.set()
        await keys.aclose()
        await keys.prepare("another")
    assert _ids(keys) == []


async def test_nobody_waits_longer_for_keys_that_come_slowly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_sources, "FETCH_SECONDS", 0.01)
    provider, answer = _Provider(), threading.Event()

    def fetch(url: str) -> bytes:
        assert answer.wait(seconds(10))
        return provider.fetch(url)

    keys = RemoteKeys("https://id.example/keys", fetch, lambda: provider.now)
    async with deadline(10):
        await keys.prepare("one")
        provider.now += 1.0
        await keys.prepare("one")
        assert _ids(keys) == []
        answer.set()
        while not keys.keys:
            await keys.prepare("one")
            await anyio.lowlevel.checkpoint()
    assert (_ids(keys), provider.readings) == (["one"], 1)
    await keys.aclose()


async def test_document_must_come_in_time_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([0.0, key_sources.FETCH_SECONDS + 1])
    monkeypatch.setattr(key_sources, "time", SimpleNamespace(monotonic=lambda: next(times)))

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
        await reader.read()
        writer.close()

    async with deadline(10), await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(TimeoutError, match="expected the whole document within 5 s"):
            await asyncio.to_thread(key_sources.fetched, f"http://127.0.0.1:{port}")
