"""``make gallery``: every sample as PDF, XML and, where poppler is, as pictures; the hard ones in each design."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from billing.adapters.facturx.embedding import factur_x
from billing.adapters.pdf.renderer import PdfDocumentRenderer
from billing.domain.acquittal import Acquittal
from billing.domain.ledger import PaymentMethod
from billing.ports.delivery import DRAFT_MARK, Mark, MarkKind
from tests.documents import SAMPLES, all_samples

DOTS_PER_INCH = 80


def main(folder: Path) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.iterdir():
        path.unlink()
    renderer = PdfDocumentRenderer(factur_x)
    count = 0
    for name, issued in all_samples():
        (folder / f"{name}.pdf").write_bytes(renderer.render(issued, logo=None))
        (folder / f"{name}.xml").write_bytes(factur_x(issued.document).content)
        count += 1
    for name, content in marked_samples(renderer):
        (folder / f"{name}.pdf").write_bytes(content)
        count += 1
    pictures = shutil.which("pdftoppm")
    if pictures is None:
        print("no pictures: pdftoppm is missing (sudo apt-get install -y poppler-utils)")  # noqa: T201
    else:
        for path in sorted(folder.glob("*.pdf")):
            drawn = [pictures, "-r", str(DOTS_PER_INCH), "-l", "3", "-png", str(path), str(path.with_suffix(""))]
            subprocess.run(drawn, check=True)
    print(f"{count} documents in {folder}/")  # noqa: T201
    return 0


def marked_samples(renderer: PdfDocumentRenderer) -> Iterator[tuple[str, bytes]]:
    """Drafts and duplicates as they are looked at."""
    settled = Acquittal(on=date(2026, 12, 14), methods=(PaymentMethod.TRANSFER,))
    paid = Mark(kind=MarkKind.DUPLICATE, acquittal=settled, settled=True)
    for prefix, mark in (("preview", DRAFT_MARK), ("duplicate", paid)):
        for name in ("several-rates", "bilingual", "in-english", "credit-note-by-line", "two-hundred-lines"):
            yield f"{prefix}-{name}", renderer.render_marked(SAMPLES[name](), mark, logo=None)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
