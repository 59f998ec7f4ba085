"""The list of Pythons that `make pythons` goes through."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.rules.trees import REPOSITORY

_OWN = f"{sys.version_info.major}.{sys.version_info.minor}"
_SYSTEM = "/usr/bin:/bin"


def _commands(folder: Path, **scripts: str) -> Path:
    folder.mkdir(parents=True)
    for name, text in scripts.items():
        path = folder / name.replace("_", ".")
        path.write_text(f"#!/bin/sh\n{text}\n", encoding="ascii")
        path.chmod(0o755)
    return folder


def _listed(home: Path, path: str, *arguments: str) -> dict[str, Path]:
    """Return the interpreters of the script, by version; a version twice is an error."""
    ended = subprocess.run(
        [REPOSITORY / ".ci" / "pythons", *arguments],
        env={"HOME": str(home), "PATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    rows = [line.split(" ", 1) for line in ended.stdout.splitlines()]
    found = {version: Path(python) for version, python in rows}
    assert len(found) == len(rows), f"expected each version once, got {ended.stdout}"
    assert ended.stderr == ""
    return found


def test_each_minor_version_is_listed_once(tmp_path: Path) -> None:
    run_own = f'exec {sys.executable} "$@"'
    own = f"python{_OWN}".replace(".", "_")
    first = _commands(tmp_path / "first", **{own: run_own})
    second = _commands(tmp_path / "second", **{own: "exit 127"}, python3_99=run_own)
    _commands(tmp_path / ".pyenv" / "versions" / "own" / "bin", python3=run_own)
    found = _listed(tmp_path, f"{first}:{second}:{_SYSTEM}")
    assert found[_OWN].samefile(sys.executable)


def test_pythons_of_pyenv_are_listed(tmp_path: Path) -> None:
    _commands(tmp_path / ".pyenv" / "versions" / "own" / "bin", python3=f'exec {sys.executable} "$@"')
    assert _OWN in _listed(tmp_path, _SYSTEM)


def test_command_that_fails_is_not_listed(tmp_path: Path) -> None:
    commands = _commands(tmp_path / "commands", python3_98="exit 127", python3_99="echo 3.99 /nowhere; exit 1")
    assert _listed(tmp_path, f"{commands}:{_SYSTEM}") == _listed(tmp_path, _SYSTEM)


def test_python_that_cannot_make_environments_is_not_listed(tmp_path: Path) -> None:
    without = "import sys; sys.modules['ensurepip'] = None; exec(sys.argv[2])"
    commands = _commands(tmp_path / "commands", python3_99=f'exec {sys.executable} -c "{without}" "$@"')
    assert _listed(tmp_path, f"{commands}:{_SYSTEM}") == _listed(tmp_path, _SYSTEM)


def test_version_of_the_given_python_is_left_out(tmp_path: Path) -> None:
    commands = _commands(tmp_path / "commands", python3_99=f'exec {sys.executable} "$@"')
    path = os.pathsep.join((str(commands), _SYSTEM))
    everything = _listed(tmp_path, path)
    assert _listed(tmp_path, path, sys.executable) == {
        version: python for version, python in everything.items() if version != _OWN
    }
