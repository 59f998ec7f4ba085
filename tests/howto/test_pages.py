"""Steps of a page: they are taken in order, and one that cannot be taken fails with the reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.kit.pages import changed_paths, first_column, follow
from tests.rules.trees import plant

_PAGE = """\
    # A page

    ## The files

    | file | step |
    | --- | --- |
    | `a.py` `b.py` | 1 |

    ## Steps

    New file `a.py`:

    ```python
    A = 1
    ```

    In `b.py`, twice:

    ```diff
     import c
    +import a
    @@
    -B = 1

    +B = a.A
     C = 1
    ```

    ```text
    Nothing is done with this.
    ```

    Run it:

    ```sh
    .venv/bin/python -c "import b; print(b.B)"
    ```
    """
_B = "import c\n\nB = 1\n\nC = 1\n"


def _root(folder: Path, page: str = _PAGE, changed: str = _B) -> Path:
    return plant(folder, {"README.md": page, "b.py": changed, "c.py": ""})


def test_steps_are_taken_in_order(tmp_path: Path) -> None:
    root = _root(tmp_path)
    assert follow(root / "README.md", root) == ["1\n"]
    assert (root / "b.py").read_text() == "import c\nimport a\n\n\nB = a.A\nC = 1\n"
    assert changed_paths(root / "README.md") == first_column(root / "README.md", "The files") == ["a.py", "b.py"]


@pytest.mark.parametrize("changed", ["import c\nB = 2\n\nC = 1\n", _B + "import c\n"], ids=["missing", "twice"])
def test_change_that_does_not_fit_its_file_is_named(tmp_path: Path, changed: str) -> None:
    root = _root(tmp_path, changed=changed)
    with pytest.raises(AssertionError, match=r"expected these lines once in b\.py, found them [02] times"):
        follow(root / "README.md", root)


def test_new_file_that_is_there_is_named(tmp_path: Path) -> None:
    root = _root(tmp_path, page=_PAGE.replace("`a.py`:", "`c.py`:"))
    with pytest.raises(AssertionError, match=r"expected no file c\.py"):
        follow(root / "README.md", root)


def test_command_that_fails_is_named_with_its_output(tmp_path: Path) -> None:
    root = _root(tmp_path, page=_PAGE.replace("print(b.B)", "b.wrong"))
    with pytest.raises(AssertionError, match=r"(?s)b\.wrong.*AttributeError"):
        follow(root / "README.md", root)


def test_change_that_is_no_diff_is_named(tmp_path: Path) -> None:
    root = _root(tmp_path, page=_PAGE.replace("```diff", "```python"))
    with pytest.raises(AssertionError, match=r"expected a diff for b\.py, got python"):
        follow(root / "README.md", root)
