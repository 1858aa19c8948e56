"""Typst, compiled into a Python package: one compiler for the template and the fonts, the texts are its input."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable

import typst

from tests.benchmarks.printers.serving import Request, serve

COMPILER = typst.Compiler(sys.argv[1], font_paths=[sys.argv[2]], ignore_system_fonts=True)


def prepared(request: Request) -> Callable[[], bytes]:
    inputs = {"texts": json.dumps(request["texts"])}

    def run() -> bytes:
        content: bytes = COMPILER.compile(format="pdf", sys_inputs=inputs, pdf_standards="a-3b")
        return content

    return run


if __name__ == "__main__":
    serve(prepared)
