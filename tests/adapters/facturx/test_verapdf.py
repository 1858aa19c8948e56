"""Every sample of the gallery held by veraPDF, the validator of the PDF Association, where Java is; always in CI."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pikepdf
import pytest

from billing.adapters.facturx.embedding import factur_x
from billing.adapters.pdf.renderer import PdfDocumentRenderer
from tests.factories import issued
from tests.papers import papers

JARS = Path(__file__).resolve().parents[3] / ".venv" / "verapdf"
RENDERER = PdfDocumentRenderer(factur_x)


def _verdicts(folder: Path) -> dict[str, str]:
    """PASS or FAIL of each file."""
    files = sorted(str(path) for path in folder.glob("*.pdf"))
    java = shutil.which("java") or "java"
    answer = subprocess.run(
        [java, "-cp", f"{JARS}/*", "org.verapdf.apps.GreenfieldCliWrapper", "-f", "3b", "--format", "text", *files],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    said = (line.split() for line in answer.stdout.splitlines() if line.startswith(("PASS", "FAIL")))
    return {Path(words[1]).stem: words[0] for words in said}


@pytest.fixture
def installed() -> None:
    if any(JARS.glob("*.jar")) and shutil.which("java"):
        return
    if os.environ.get("CI") == "true":
        pytest.fail("veraPDF is not installed: local/setup.sh verapdf")
    pytest.skip("veraPDF is not installed: it needs Java and Maven, then local/setup.sh verapdf")


@pytest.mark.usefixtures("installed")
def test_every_sample_is_pdf_a_3b_by_the_official_validator(tmp_path: Path) -> None:
    names = []
    for paper in papers():
        (tmp_path / f"{paper.name}.pdf").write_bytes(paper.pdf)
        names.append(paper.name)

    assert _verdicts(tmp_path) == dict.fromkeys(names, "PASS")


@pytest.mark.usefixtures("installed")
def test_the_validator_refuses_what_is_not(tmp_path: Path) -> None:
    path = tmp_path / "broken.pdf"
    path.write_bytes(RENDERER.render(issued(), logo=None))
    with pikepdf.open(path, allow_overwriting_input=True) as document:
        del document.Root.OutputIntents
        document.save(path)

    assert _verdicts(tmp_path) == {"broken": "FAIL"}
