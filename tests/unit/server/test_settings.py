"""Settings: safe defaults, variables, limits, origins."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from realtime.messages.options import SlowPolicy
from server.setting_texts import is_loopback
from server.settings import Settings


def test_defaults_bind_to_this_machine_only_without_demo() -> None:
    settings = Settings()
    assert (settings.host, settings.port, settings.demo) == ("127.0.0.1", 8000, False)
    assert settings.database_url == "sqlite:///./boardcast.db"
    assert (settings.max_body_bytes, settings.max_frame_bytes) == (1024 * 1024, 1024 * 1024)
    assert settings.origins == frozenset()


def test_every_setting_is_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOARDCAST_HEARTBEAT_SECONDS", "1.5")
    monkeypatch.setenv("BOARDCAST_DEMO", "true")
    settings = Settings()
    assert (settings.heartbeat_seconds, settings.demo) == (1.5, True)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("[::1]", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.0.1", False),
        ("localhost.example", False),
        ("", False),
    ],
)
def test_host_is_loopback_or_not(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.0.1", "boards.example", ""])
def test_open_host_needs_the_permission_by_name(host: str) -> None:
    with pytest.raises(ValidationError, match="--allow-anonymous"):
        Settings(host=host)
    assert Settings(host=host, allow_anonymous=True).host == host


@pytest.mark.parametrize(
    "wrong",
    [
        {"port": 65536},
        {"heartbeat_seconds": float("inf")},
        {"send_timeout_seconds": 0},
        {"retention_days": -1},
        {"retention_events": -1},
        {"prune_seconds": 0},
        {"clock": "2025-13-01T00:00:00Z"},
        {"log_level": "trace"},
    ],
)
def test_value_out_of_range_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Settings(**wrong)


def test_origins_are_split_trimmed_and_lowered() -> None:
    settings = Settings(allowed_origins=" https://A.example/ ,http://b.example:8080,, ")
    assert settings.origins == {"https://a.example", "http://b.example:8080"}


_TOKEN = "0123456789abcdef"


def test_tokens_are_split_and_trimmed() -> None:
    assert Settings().secrets == ()
    assert Settings(tokens=SecretStr(f" {_TOKEN} ,, other-{_TOKEN}/+==")).secrets == (
        _TOKEN,
        f"other-{_TOKEN}/+==",
    )


def test_tokens_allow_an_open_host() -> None:
    assert Settings(host="0.0.0.0", tokens=SecretStr(_TOKEN)).host == "0.0.0.0"


@pytest.mark.parametrize("tokens", [",", " , ", _TOKEN[1:], f"{_TOKEN},short", f"{_TOKEN} {_TOKEN}", f"{_TOKEN}ü"])
def test_bad_tokens_are_refused_and_not_shown(tokens: str) -> None:
    with pytest.raises(ValidationError, match="--tokens") as refused:
        Settings(tokens=SecretStr(tokens))
    sentence = refused.value.errors()[0]["msg"]
    assert not any(secret in sentence for secret in (_TOKEN[1:], "short"))


def test_tokens_are_not_shown() -> None:
    settings = Settings(tokens=SecretStr(_TOKEN))
    assert _TOKEN not in f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"


def test_secrets_of_a_file_are_those_of_its_lines(tmp_path: Path) -> None:
    file = tmp_path / "tokens.txt"
    file.write_text(f"{_TOKEN}\n\n  other-{_TOKEN}  \r\n")
    settings = Settings(tokens_file=file, tokens=SecretStr(f"first-{_TOKEN}"), host="0.0.0.0")
    file.write_text("")
    assert settings.secrets == (f"first-{_TOKEN}", _TOKEN, f"other-{_TOKEN}")
    assert _TOKEN not in f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"


@pytest.mark.parametrize("content", [b"", b"\n \n", b"too-short", f"{_TOKEN}\n{_TOKEN} no\n".encode(), b"\xff" * 20])
def test_bad_file_of_secrets_is_refused_and_not_shown(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "tokens.txt"
    file.write_bytes(content)
    with pytest.raises(ValidationError, match="--tokens-file: ") as refused:
        Settings(tokens_file=file)
    sentence = refused.value.errors()[0]["msg"]
    assert not any(secret in sentence for secret in (_TOKEN, "too-short"))


@pytest.mark.parametrize("name", ["missing.txt", "."])
def test_file_of_secrets_that_cannot_be_read_is_named(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match=f"--tokens-file: cannot read {tmp_path / name}: "):
        Settings(tokens_file=tmp_path / name)


def test_required_token_allows_an_open_host() -> None:
    assert Settings(host="0.0.0.0", require_token=True).authenticates


def test_slow_policies_are_named_one_by_one() -> None:
    assert Settings().allowed_slow_policies == (SlowPolicy.SNAPSHOT, SlowPolicy.DISCONNECT)
    assert Settings(slow_policies="disconnect").allowed_slow_policies == (SlowPolicy.DISCONNECT,)
    for bad in ("", "snapshot,", "drop"):
        with pytest.raises(ValidationError, match="expected some of snapshot, disconnect"):
            Settings(slow_policies=bad)
