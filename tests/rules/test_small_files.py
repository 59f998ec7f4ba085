"""Each file under 50 lines is a noun of its own, with a reason in docs/decisions/0040-folders-are-rooms.md."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tests.rules.pages import first_cells, read_page
from tests.rules.trees import PACKAGES, REPOSITORY, plant, python_files

#: A file with fewer lines joins its neighbour, or has a reason.
FEW_LINES = 50


def _small_files(root: Path) -> set[str]:
    """Return the small files of the packages without their ending; a migration is small by its nature."""
    files = (path for path in python_files(root, PACKAGES) if not path.name.startswith("__"))
    return {
        path.relative_to(root).with_suffix("").as_posix()
        for path in files
        if "versions" not in path.parts and len(path.read_text(encoding="utf-8").splitlines()) < FEW_LINES
    }


def _find_differences(small: Iterable[str], named: Iterable[str]) -> list[str]:
    """Return the small files without a reason, and the reasons without a small file."""
    small, named = set(small), set(named)
    without = {file for file in small if not any(_is(file, name) for name in named)}
    outdated = {name for name in named if not any(_is(file, name) for file in small)}
    return sorted(without | outdated)


def _is(file: str, name: str) -> bool:
    return f"/{file}".endswith(f"/{name}")


def test_each_small_file_has_a_reason_and_each_reason_a_file() -> None:
    named = first_cells(read_page("decisions/0040-folders-are-rooms.md"), "Files under 50 lines")
    hint = "join a file with its neighbour, or give it a reason in the table of decision 40; drop outdated reasons"
    assert _find_differences(_small_files(REPOSITORY), named) == [], hint


def test_small_file_without_a_reason_is_caught(tmp_path: Path) -> None:
    root = plant(tmp_path, {"realtime/one.py": "A = 1\n", "realtime/two.py": "A = 1\n", "schema/big.py": "\n" * 50})
    assert _find_differences(_small_files(root), {"one", "three"}) == ["realtime/two", "three"]
