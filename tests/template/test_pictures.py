"""The pictures of the README: those that ``make pictures`` writes, small enough to load at once."""

import re

import pytest
from PIL import Image

from tests.gallery import LARGEST_PICTURE, OF_THE_README
from tests.papers import papers
from tests.template.stack import ROOT

PICTURES = ROOT / "docs/images"


def test_the_readme_shows_what_is_written_for_it_and_nothing_else_is_kept() -> None:
    shown = re.findall(r"!\[[^\]]+\]\(docs/images/([\w-]+)\.png\)", (ROOT / "README.md").read_text(encoding="utf-8"))

    assert shown == list(OF_THE_README)
    assert sorted(path.stem for path in PICTURES.iterdir()) == sorted(OF_THE_README)


@pytest.mark.parametrize("name", OF_THE_README)
def test_a_picture_is_a_page_or_several_and_small(name: str) -> None:
    path = PICTURES / f"{name}.png"

    assert path.stat().st_size <= LARGEST_PICTURE
    with Image.open(path) as picture:
        assert picture.height / picture.width == pytest.approx(297 / 210 / len(OF_THE_README[name]), abs=0.01)


def test_each_paper_of_the_gallery_has_a_name_of_its_own_and_is_a_pdf() -> None:
    written = list(papers())

    assert len({paper.name for paper in written}) == len(written)
    assert all(paper.pdf.startswith(b"%PDF-1.7") for paper in written)
    assert {name for shown in OF_THE_README.values() for name in shown} <= {paper.name for paper in written}
