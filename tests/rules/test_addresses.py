"""Addresses that only one machine can reach: the repository has none, and a file with one is found."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.rules.addresses import find_addresses, repository_files
from tests.rules.trees import REPOSITORY, plant


def test_repository_names_no_registry_and_no_machine() -> None:
    assert find_addresses(repository_files(REPOSITORY)) == []


@pytest.mark.parametrize(
    "address",
    [
        "https://files.python" + "hosted.org/packages/a",
        "https://py" + "pi.org/simple",
        "https://registry.npm" + "js.org/ws",
        "//un" + "pkg.com/react",
        "cd /" + "root/boardcast",
        '"/' + 'work/boardcast"',
        "/" + "home/someone/boardcast",
        "/" + "Users/someone/boardcast",
    ],
)
def test_file_with_an_address_is_caught(tmp_path: Path, address: str) -> None:
    path = plant(tmp_path, {"notes.md": f"first line\nsee {address}\n"}) / "notes.md"
    (found,) = find_addresses([path])
    assert found.startswith(f"{path}:2: ")


def test_file_with_harmless_paths_is_accepted(tmp_path: Path) -> None:
    text = "/usr/bin/chromium ./work/boardcast https://example.org/home/you /srv/repos/alpha /api/v1/root pypi"
    plant(tmp_path, {"notes.md": text})
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\xff")
    assert find_addresses(sorted(tmp_path.iterdir())) == []


def test_ignored_files_are_left_out(tmp_path: Path) -> None:
    plant(tmp_path, {".gitignore": "*.db\n", "a.txt": "a", "b.db": "b"})
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    assert sorted(path.name for path in repository_files(tmp_path)) == [".gitignore", "a.txt"]
