"""What the documents name is there: a test that was renamed is no proof any more."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.template.stack import ROOT

DOCUMENTS = sorted([*(ROOT / "docs").rglob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md"])
FILE = re.compile(r"\b(?:tests|local|functions|layers|statemachines|events)/[\w/]+\.(?:py|json|sh|txt)\b")
TEST = re.compile(r"`(test_\w+)`")
DEFINED = {
    name
    for path in (ROOT / "tests").rglob("test_*.py")
    for name in (path.stem, *re.findall(r"def (test_\w+)\(", path.read_text(encoding="utf-8")))
}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_file_and_test_named_in_a_document_exists(path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    assert [name for name in sorted(set(FILE.findall(text))) if not (ROOT / name).is_file()] == []
    assert [name for name in sorted(set(TEST.findall(text))) if name not in DEFINED] == []


def test_the_data_model_names_the_tests_that_hold_it() -> None:
    named = set(FILE.findall((ROOT / "docs/data-model.md").read_text(encoding="utf-8")))

    assert {"tests/handlers/test_requests.py", "tests/handlers/test_scale.py"} <= named


def test_every_access_pattern_names_what_holds_its_cost() -> None:
    text = (ROOT / "docs/data-model.md").read_text(encoding="utf-8")
    table = text[text.index("| operation | requests | how | held by |") :].split("\n\n")[0].splitlines()[2:]

    assert len(table) > 50
    for row in table:
        held_by = row.split(" | ")[-1]
        assert TEST.search(held_by) or FILE.search(held_by), row
