"""The READMEs of the packages name each file and each room once, and a README that does not is found."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rules.maps import map_faults, rooms_without_a_page
from tests.rules.trees import PACKAGES, REPOSITORY, plant

_TREE = {
    "a/__init__.py": "",
    "a/one.py": "",
    "a/room/two.py": "",
    "a/room/inner/three.py": "",
    "a/pictures/x/y.svg": "",
}
_ROWS = ("`one.py` | first", "`room/` | second", "`room/inner/` | third", "`pictures/` | fourth")


@pytest.mark.parametrize("package", PACKAGES)
def test_map_names_each_file_and_room_once(package: str) -> None:
    assert map_faults(REPOSITORY / package) == []


def _faults(root: Path, *rows: str) -> list[str]:
    table = "".join(f"| {row} |\n" for row in rows)
    page = f"# a\n\n## Map\n\n| file or room | job |\n| --- | --- |\n{table}\n## Glossary\n\n| word | meaning |\n"
    return map_faults(plant(root, _TREE | {"a/README.md": page + "| --- | --- |\n| `word` | a thing |\n"}) / "a")


def test_map_that_is_true_is_accepted(tmp_path: Path) -> None:
    assert _faults(tmp_path, *_ROWS) == []


def test_map_with_mistakes_is_caught(tmp_path: Path) -> None:
    assert _faults(tmp_path, _ROWS[0], *_ROWS[2:], "`four.py` | gone", _ROWS[0]) == [
        "a/README.md: room/ is missing",
        "a/README.md: four.py is not there",
        "a/README.md: one.py is named 2 times",
    ]


def test_row_without_a_job_is_no_row(tmp_path: Path) -> None:
    assert _faults(tmp_path, "`one.py` | ", *_ROWS[1:]) == ["a/README.md: one.py is missing"]


@pytest.mark.parametrize("package", PACKAGES)
def test_each_room_names_its_page(package: str) -> None:
    assert rooms_without_a_page(REPOSITORY / package) == []


def test_room_that_names_no_page_is_caught(tmp_path: Path) -> None:
    files = {
        "a/__init__.py": '"""See docs/index.md."""',
        "a/b/__init__.py": '"""B."""',
        "a/c/__init__.py": "# docs/index.md",
    }
    assert rooms_without_a_page(plant(tmp_path, files) / "a") == [
        f"a/{name}/__init__.py: name the page in docs/ that describes it" for name in ("b", "c")
    ]
