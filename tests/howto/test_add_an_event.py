"""`docs/howto/add-an-event.md`: its steps are taken in a copy of the repository, and its commands succeed.

The commands run real servers with the new event. If one step is left out, the test fails that the page names.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.kit.pages import REPOSITORY, Script, changed_paths, copy_repository, first_column, follow, steps_of

PAGE = REPOSITORY / "docs" / "howto" / "add-an-event.md"
_FORGOTTEN = "A step that is forgotten"
_ROW = re.compile(r"^\| `([^`]+)` \| `([^`]+)` \| (.*) \|$", re.MULTILINE)
#: File, test, sentence.
_ROWS = _ROW.findall(PAGE.read_text(encoding="utf-8").partition(f"# {_FORGOTTEN}\n")[2])
#: Files whose absence the page explains without a row: the two classes themselves, the model of the random histories,
#: and the test of the event.
_WITHOUT_A_ROW = {
    "realtime/kanban/events/attempts.py",
    "realtime/messages/payloads/attempts.py",
    "tests/equivalence/model.py",
    "tests/live/test_attempt_notes.py",
}


@pytest.mark.timeout(300)  # it runs pytest three times
def test_steps_add_an_event_that_reaches_every_exit(tmp_path: Path) -> None:
    exports, parts, live = follow(PAGE, copy_repository(tmp_path))
    assert exports.count("written: ") == 2, exports
    assert re.search(r"=+ \d+ passed in", parts), parts
    assert re.search(r"=+ \d+ passed in", live), live
    # Both raw exits, and both subprotocols of GraphQL.
    assert re.search(r"=+ 4 passed, \d+ deselected in", live), live


def test_files_of_the_first_table_are_those_of_the_steps() -> None:
    assert first_column(PAGE, "The files") == changed_paths(PAGE)


def test_every_file_of_the_steps_can_be_forgotten() -> None:
    generated = {"docs/events.md", "graphql/schema.graphql"}
    assert {path for path, _, _ in _ROWS} == {*changed_paths(PAGE), *generated} - _WITHOUT_A_ROW


@pytest.fixture(scope="module")
def complete(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Take all steps in a copy, without running its tests."""
    root = copy_repository(tmp_path_factory.mktemp("complete"))
    for step in steps_of(PAGE):
        if not (isinstance(step, Script) and "pytest" in step.text):
            step.take(root)
    return root


@pytest.mark.timeout(300)  # it runs pytest, which imports all packages
@pytest.mark.parametrize(("path", "test", "sentence"), _ROWS, ids=[path for path, _, _ in _ROWS])
def test_forgotten_step_fails_the_test_that_the_page_names(path: str, test: str, sentence: str, complete: Path) -> None:
    with _forgotten(path, complete), pytest.raises(AssertionError) as failed:
        Script(f".venv/bin/python -m pytest -p no:cacheprovider '{test}'\n").take(complete)
    quoted = re.findall("`([^`]+)`", sentence)
    assert quoted
    assert [words for words in quoted if words not in str(failed.value)] == [], failed.value


@contextmanager
def _forgotten(path: str, root: Path) -> Iterator[None]:
    """Put the file of the repository into the copy until the block ends."""
    target = root / path
    changed = target.read_bytes()
    shutil.copy(REPOSITORY / path, target)
    assert target.read_bytes() != changed
    try:
        yield
    finally:
        target.write_bytes(changed)
