"""The engines under measure behind one call: print an invoice of so many lines, and say what it took."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, Self

from local.layout import PROJECT
from tests.benchmarks import subjects
from tests.benchmarks.chromium import Chromium
from tests.benchmarks.subjects import html_of, invoice, texts_of

Figures = dict[str, float]

FONTS = str(PROJECT / subjects.FONTS)
STYLE = subjects.font_faces(FONTS) + subjects.STYLE


class Engine(Protocol):
    def print(self, lines: int, rank: int, *, keep: str = "", **asked: bool) -> Figures: ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


class Printer:
    """A program of ``printers``, in a process of its own."""

    def __init__(self, python: str, module: str, *arguments: str, texts: Callable[[int, int], dict[str, Any]]) -> None:
        self._texts = texts
        self._process = subprocess.Popen(
            [python, "-m", f"tests.benchmarks.printers.{module}", *arguments],
            cwd=PROJECT,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(("functions", "layers/billing/python", "."))},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def print(self, lines: int, rank: int, *, keep: str = "", **asked: bool) -> Figures:
        request = {**self._texts(lines, rank), **asked, "keep": keep}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request).encode() + b"\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError("the printer ended")
        figures: Figures = json.loads(answer)
        return figures


class Browser(Chromium):
    def print(self, lines: int, rank: int, *, keep: str = "", **_: bool) -> Figures:  # type: ignore[override]
        return super().print(html_of(texts_of(invoice(lines, rank).document), style=STYLE), keep=keep)


def ours() -> Engine:
    return Printer(sys.executable, "ours", texts=lambda lines, rank: {"lines": lines, "rank": rank})


def others() -> tuple[dict[str, Callable[[], Engine]], list[str]]:
    """How to start each of the others that this machine has, and what to say of those that it lacks."""
    found: dict[str, Callable[[], Engine]] = {}
    missing: list[str] = []
    python = PROJECT / ".venv/bench/bin/python"
    program = Chromium.found()
    if program is None:
        missing.append("Chromium is not measured: it is missing (sudo apt-get install -y chromium)")
    elif not Path("/proc/self/smaps_rollup").exists():
        missing.append("Chromium is not measured: what its processes take is read from /proc, which only Linux has")
    else:
        found["Chromium"] = lambda: Browser(program)
    if _imports(python, "weasyprint"):
        found["WeasyPrint"] = lambda: Printer(str(python), "weasy", STYLE, texts=_html)
    else:
        missing.append("WeasyPrint is not measured: it does not start (sudo apt-get install -y libpangoft2-1.0-0)")
    if _imports(python, "typst"):
        template = str(PROJECT / "tests/benchmarks/printers/invoice.typ")
        found["Typst"] = lambda: Printer(str(python), "typst_printer", template, FONTS, texts=_data)
    else:
        missing.append("Typst is not measured: it does not start")
    return found, missing


def _imports(python: Path, module: str) -> bool:
    if not python.exists():
        return False
    tried = subprocess.run([python, "-c", f"import {module}"], capture_output=True, check=False)
    return tried.returncode == 0


def _html(lines: int, rank: int) -> dict[str, Any]:
    return {"html": html_of(texts_of(invoice(lines, rank).document), style="")}


def _data(lines: int, rank: int) -> dict[str, Any]:
    return {"texts": texts_of(invoice(lines, rank).document)}
