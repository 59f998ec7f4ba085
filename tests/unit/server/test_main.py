"""The messages of `server.__main__` about invalid settings, before it opens anything."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from server.__main__ import main
from server.settings import Settings
from server.settings_flags import GROUPS

_BAD = {
    "port-word": ("port", "http"),
    "port-high": ("port", "65536"),
    "port-negative": ("port", "-1"),
    "heartbeat-zero": ("heartbeat-seconds", "0"),
    "heartbeat-nan": ("heartbeat-seconds", "nan"),
    "heartbeat-infinite": ("heartbeat-seconds", "inf"),
    "timeout-word": ("send-timeout-seconds", "soon"),
    "grace-negative": ("shutdown-grace-seconds", "-1"),
    "queue-zero": ("max-queued-envelopes", "0"),
    "queue-half": ("max-queued-envelopes", "1.5"),
    "body-small": ("max-body-bytes", "10"),
    "flag": ("allow-anonymous", "perhaps"),
    "level": ("log-level", "loud"),
    "clock": ("clock", "noon"),
    "clock-without-zone": ("clock", "2025-01-02T03:04:05"),
    "broker": ("broker-url", "carrier-pigeon"),
    "demo": ("demo-pace", "0"),
    "web-client-missing": ("web-client", "/missing/client"),
    "web-client-file": ("web-client", __file__),
    "web-client-without-page": ("web-client", "/proc"),
}


@pytest.mark.parametrize("by", ["flag", "environment"])
@pytest.mark.parametrize("case", _BAD)
def test_bad_setting_is_one_line_and_code_2(
    case: str, by: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    name, value = _BAD[case]
    monkeypatch.setattr(sys, "argv", ["boardcast", *([f"--{name}={value}"] if by == "flag" else [])])
    if by == "environment":
        monkeypatch.setenv(f"BOARDCAST_{name.upper().replace('-', '_')}", value)
    with pytest.raises(SystemExit) as stopped:
        main()
    said = capsys.readouterr()
    assert stopped.value.code == 2
    assert said.out == ""
    assert said.err.startswith("boardcast: ")
    assert said.err.endswith("\n")
    assert said.err.count("\n") == 1
    assert f"--{name}" in said.err
    assert value in said.err


def test_open_host_is_refused_with_the_flag_that_allows_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["boardcast", "--host", "0.0.0.0"])
    with pytest.raises(SystemExit) as stopped:
        main()
    said = capsys.readouterr().err
    assert stopped.value.code == 2
    assert said.count("\n") == 1
    assert "--allow-anonymous" in said


@pytest.mark.parametrize("by", ["flag", "environment"])
def test_bad_tokens_are_one_line_that_does_not_show_them(
    by: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["boardcast", *(["--tokens=too-short"] if by == "flag" else [])])
    if by == "environment":
        monkeypatch.setenv("BOARDCAST_TOKENS", "too-short")
    with pytest.raises(SystemExit) as stopped:
        main()
    said = capsys.readouterr().err
    assert stopped.value.code == 2
    assert said.count("\n") == 1
    assert said.startswith("boardcast: --tokens: ")
    assert "too-short" not in said


def test_help_does_not_show_the_tokens(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["boardcast", "--help"])
    monkeypatch.setenv("BOARDCAST_TOKENS", "0123456789abcdef")
    with pytest.raises(SystemExit):
        main()
    assert "0123456789abcdef" not in capsys.readouterr().out


def test_help_imports_nothing_that_serves() -> None:
    heavy = "{'sqlalchemy', 'strawberry', 'typer', 'uvicorn'}"
    asked = f"import sys, server.__main__; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "[]\n"


def test_every_flag_is_in_a_group_of_the_help(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert next(iter(Settings.model_fields)) == next(iter(GROUPS))
    assert set(GROUPS) <= set(Settings.model_fields)
    monkeypatch.setattr(sys, "argv", ["boardcast", "--help"])
    with pytest.raises(SystemExit) as stopped:
        main()
    said = capsys.readouterr().out
    assert stopped.value.code == 0
    for title in GROUPS.values():
        assert f"\n{title}:\n" in said
    for command in ("serve", "check", "version", "tail", "publish", "doctor", "backup", "copy", "export", "import"):
        assert f" {command} " in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["fly"], "No such command 'fly'. See: boardcast --help"),
        (["tail"], "Missing argument 'BOARD'. See: boardcast tail --help"),
        (["tail", "b", "--limit", "0"], "Invalid value for '--limit'"),
        (["tail", "b", "--delivery", "pigeon"], "Invalid value for '--delivery'"),
        (["serve", "--port", "http"], "--port: "),
        (["serve", "--colour"], "unrecognized arguments: --colour"),
        (["check", "--port", "http"], "--port: "),
        (["copy", "--from", "sqlite://"], "Missing option '--to'"),
        (["publish", "--name", "x"], "expected --name and --payload together"),
        (["publish", "--name", "x", "--payload", "{"], "--payload: expected JSON"),
        (["publish", "no-such-file.jsonl"], "cannot read no-such-file.jsonl: No such file or directory"),
        (["import", "no-such-file.jsonl"], "cannot read no-such-file.jsonl: No such file or directory"),
        (["export", "x.jsonl", "--database-url", "sqlite:///./no-such-file.db"], "there is no file"),
        (["backup", "x.db", "--database-url", "sqlite:///./no-such-file.db"], "there is no file"),
        (["backup", "x.db", "--database-url", "postgresql://x"], "pg_dump"),
        (["backup", "x.db", "--database-url", "sqlite://"], "got one in memory"),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, list) else None,
)
def test_command_that_is_written_wrong_is_one_line_and_code_2(
    words: list[str], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["boardcast", *words])
    with pytest.raises(SystemExit) as stopped:
        main()
    captured = capsys.readouterr()
    assert (stopped.value.code, captured.out, captured.err.count("\n")) == (2, "", 1), captured
    assert captured.err.startswith("boardcast: ")
    assert said in captured.err
    assert list(tmp_path.iterdir()) == []
