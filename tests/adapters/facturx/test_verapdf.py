"""Every sample held by veraPDF, the validator of the PDF Association, where Java and Maven are; always in CI."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
from pathlib import Path

import pikepdf
import pytest
from PIL import Image

from billing.adapters.facturx.embedding import factur_x
from billing.adapters.pdf.renderer import PdfDocumentRenderer
from billing.ports.delivery import DRAFT_MARK, Mark, MarkKind
from tests.documents import SAMPLES, all_samples
from tests.factories import issued

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
    picture = io.BytesIO()
    Image.new("RGBA", (400, 160), (10, 90, 90, 128)).save(picture, "PNG")
    samples = dict(all_samples())
    for name, made in samples.items():
        logo = None if name in SAMPLES else picture.getvalue()
        (tmp_path / f"{name}.pdf").write_bytes(RENDERER.render(made, logo=logo))

    assert _verdicts(tmp_path) == dict.fromkeys(samples, "PASS")


@pytest.mark.usefixtures("installed")
def test_what_is_marked_is_pdf_a_3b_too(tmp_path: Path) -> None:
    """Its mark is transparent, which PDF/A-3 allows and PDF/A-1 did not."""
    names = ("several-rates", "bilingual", "two-hundred-lines", "credit-note-in-full")
    for name in names:
        for mark in (DRAFT_MARK, Mark(kind=MarkKind.DUPLICATE, asks=True)):
            (tmp_path / f"{mark.kind}-{name}.pdf").write_bytes(RENDERER.render_marked(SAMPLES[name](), mark, logo=None))

    assert set(_verdicts(tmp_path).values()) == {"PASS"}
    assert len(_verdicts(tmp_path)) == 2 * len(names)


@pytest.mark.usefixtures("installed")
def test_the_validator_refuses_what_is_not(tmp_path: Path) -> None:
    path = tmp_path / "broken.pdf"
    path.write_bytes(RENDERER.render(issued(), logo=None))
    with pikepdf.open(path, allow_overwriting_input=True) as document:
        del document.Root.OutputIntents
        document.save(path)

    assert _verdicts(tmp_path) == {"broken": "FAIL"}
