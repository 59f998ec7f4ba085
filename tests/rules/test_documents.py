"""No file refers to a document that is not in the repository, and a file that does is found. The README is short."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rules.addresses import repository_files
from tests.rules.documents import find_missing_documents
from tests.rules.trees import REPOSITORY, plant

#: Files that name pages of invented repositories.
_INVENTED = (REPOSITORY / "server" / "demo" / "catalogue.py", REPOSITORY / "tests" / "rules")
#: Most lines of the README. Everything else is on a page of its own.
_README_LINES = 180


def test_readme_is_short() -> None:
    lines = (REPOSITORY / "README.md").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= _README_LINES


def test_files_refer_to_documents_of_the_repository_only() -> None:
    files = repository_files(REPOSITORY)
    spoken = [line for line in find_missing_documents(files) if not line.startswith(tuple(map(str, _INVENTED)))]
    assert spoken == []


@pytest.mark.parametrize(
    ("reference", "found"),
    [
        ("as contract §5 says", ["§", "contract §"]),
        ("Contract: §7 too", ["§"]),
        ("(design §10)", ["§", "design §"]),
        ("the order of the contract", ["the contract"]),
        ("the contract's order", ["the contract's"]),
        ("see issue 12 and issue #13", ["issue 12", "issue #13"]),
        ("the demo (issue of it)", ["(issue of"]),
        ("see ../shared/contract.md", ["../shared/contract.md"]),
        ("docs/no-page.md, [x](no-page.md)", ["docs/no-page.md", "no-page.md"]),
        ("wrong/one.md", ["wrong/one.md"]),
    ],
)
def test_reference_to_a_document_elsewhere_is_caught(tmp_path: Path, reference: str, found: list[str]) -> None:
    root = plant(tmp_path, {"code.py": f"# first\n# {reference}\n", "docs/one.md": "# One\n"})
    files = [root / "code.py", root / "docs" / "one.md"]
    assert find_missing_documents(files) == [f"{root / 'code.py'}:2: {name}" for name in found]


def test_references_to_pages_and_public_documents_are_accepted(tmp_path: Path) -> None:
    text = (
        'docs/one.md, "One"; one.md; ../docs/one.md; RFC 9110 §9.2.1; graphql-ws, PROTOCOL.md; the contract of a port\n'
        "https://example.org/x/other.md; an issue of GitHub; 13 issues\n"
    )
    root = plant(tmp_path, {"code.py": text, "docs/one.md": "# One\n"})
    (root / "picture.png").write_bytes(b"\x89PNG\xff")
    assert find_missing_documents([root / "code.py", root / "docs" / "one.md", root / "picture.png"]) == []
