"""``make gallery``: every sample document as PDF, XML and, where poppler is, as pictures."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from billing.adapters.facturx.embedding import factur_x
from billing.adapters.pdf.renderer import PdfDocumentRenderer
from tests.documents import all_samples

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
    pictures = shutil.which("pdftoppm")
    if pictures is None:
        print("no pictures: pdftoppm is missing (sudo apt-get install -y poppler-utils)")  # noqa: T201
    else:
        for path in sorted(folder.glob("*.pdf")):
            drawn = [pictures, "-r", str(DOTS_PER_INCH), "-l", "3", "-png", str(path), str(path.with_suffix(""))]
            subprocess.run(drawn, check=True)
    print(f"{count} documents in {folder}/")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
