"""``make gallery``: every sample as PDF, XML and, where poppler is, as pictures with an index to look through.

``make pictures`` writes those of the README, again whenever what we print changes.
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from html import escape
from itertools import groupby
from pathlib import Path

import pikepdf
from PIL import Image

from tests.papers import Paper, papers

DOTS_PER_INCH = 80
PAGES = 2  # of a document that are pictured, and its last one
OF_THE_README = {
    "invoice": ("logo-png",),
    "credit-note": ("credit-note-by-line",),
    "quote": ("quote",),
    "designs": ("logo-classic", "logo-modern", "logo-compact"),
}
LARGEST_PICTURE = 60_000  # bytes
_COLOURS = (256, 128, 64, 32, 16)
_DOTS_OF_SEVERAL = 56
_LACKING = "no pictures: pdftoppm is missing (sudo apt-get install -y poppler-utils)"


def gallery(folder: Path) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.iterdir():
        path.unlink()
    written = list(papers())
    for paper in written:
        (folder / f"{paper.name}.pdf").write_bytes(paper.pdf)
        if paper.xml is not None:
            (folder / f"{paper.name}.xml").write_bytes(paper.xml)
    if shutil.which("pdftoppm"):
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(lambda paper: _draw(folder, paper.name), written))
        (folder / "index.html").write_text(_index(folder, written), encoding="utf-8")
    else:
        print(_LACKING)  # noqa: T201
    print(f"{len(written)} documents in {folder}/")  # noqa: T201
    return 0


def _draw(folder: Path, name: str) -> None:
    """The first pages, and the last one, where the totals are."""
    pdf = folder / f"{name}.pdf"
    with pikepdf.open(pdf) as opened:
        count = len(opened.pages)
    for first, last in [(1, min(PAGES, count)), *([(count, count)] if count > PAGES else [])]:
        drawn = ["-r", str(DOTS_PER_INCH), "-f", str(first), "-l", str(last), "-png", str(pdf), f"{folder}/{name}"]
        subprocess.run(["pdftoppm", *drawn], check=True)  # noqa: S607 - wherever the system keeps it


def _index(folder: Path, written: list[Paper]) -> str:
    """Every picture under its group, in French; nothing but this folder is loaded."""
    groups = "".join(
        f"<h2>{escape(group)}</h2><div>{''.join(_figure(folder, paper) for paper in found)}</div>"
        for group, found in groupby(sorted(written, key=lambda paper: paper.group), lambda paper: paper.group)
    )
    return (
        "<!doctype html><html lang=fr><meta charset=utf-8><title>Galerie des documents</title><style>"
        "body{font:14px/1.5 sans-serif;margin:24px;background:#f4f7f7;color:#1c242e}"
        "div{display:flex;flex-wrap:wrap;gap:16px}figure{margin:0;background:#fff;padding:10px;border-radius:6px}"
        "figcaption{margin-bottom:6px}img{height:420px;border:1px solid #dee3e6}</style>"
        f"<h1>Galerie des documents</h1><p>{len(written)} exemples. Les sociétés et les personnes sont inventées.</p>"
        f"{groups}</html>\n"
    )


def _figure(folder: Path, paper: Paper) -> str:
    pictures = "".join(
        f'<img loading=lazy src="{path.name}" alt="">'
        for path in sorted(folder.glob(f"{paper.name}-*.png"))
        if path.stem.removeprefix(f"{paper.name}-").isdigit()
    )
    xml = f' · <a href="{paper.name}.xml">XML</a>' if paper.xml is not None else ""
    links = f'<a href="{paper.name}.pdf">PDF</a>{xml}'
    return f"<figure><figcaption>{escape(paper.name)} · {links}</figcaption>{pictures}</figure>"


def of_the_readme(folder: Path) -> int:
    """The first page of each, or of several side by side, small enough to load at once."""
    if not shutil.which("pdftoppm"):
        print(_LACKING)  # noqa: T201
        return 1
    wanted = {paper.name: paper.pdf for paper in papers()}
    for name, shown in OF_THE_README.items():
        pages = [_first_page(wanted[one], dots=DOTS_PER_INCH if len(shown) == 1 else _DOTS_OF_SEVERAL) for one in shown]
        content = next(filter(lambda content: len(content) <= LARGEST_PICTURE, _smaller_and_smaller(_beside(pages))))
        (folder / f"{name}.png").write_bytes(content)
        print(f"{folder / name}.png: {len(content) / 1000:.0f} kB")  # noqa: T201
    return 0


def _first_page(pdf: bytes, *, dots: int) -> Image.Image:
    drawn = ["pdftoppm", "-r", str(dots), "-l", "1", "-png", "-"]
    page = subprocess.run(drawn, input=pdf, capture_output=True, check=True)
    return Image.open(io.BytesIO(page.stdout)).convert("RGB")


def _beside(pages: list[Image.Image]) -> Image.Image:
    width, height = pages[0].size
    sheet = Image.new("RGB", (width * len(pages), height))
    for rank, page in enumerate(pages):
        sheet.paste(page, (rank * width, 0))
    return sheet


def _smaller_and_smaller(picture: Image.Image) -> list[bytes]:
    found = []
    for colours in _COLOURS:
        buffer = io.BytesIO()
        picture.quantize(colours, dither=Image.Dither.NONE).save(buffer, "PNG", optimize=True)
        found.append(buffer.getvalue())
    return found


if __name__ == "__main__":
    command, target = sys.argv[1:]
    sys.exit({"all": gallery, "readme": of_the_readme}[command](Path(target)))
