"""WeasyPrint: the style sheet and the fonts are read once, each document is a page of HTML."""

from __future__ import annotations

import sys
from collections.abc import Callable

from weasyprint import CSS, HTML
from weasyprint.text.fonts import FontConfiguration

from tests.benchmarks.printers.serving import Request, serve

FONTS = FontConfiguration()
STYLE = CSS(string=sys.argv[1], font_config=FONTS)


def prepared(request: Request) -> Callable[[], bytes]:
    def run() -> bytes:
        content: bytes = HTML(string=request["html"]).write_pdf(stylesheets=[STYLE], font_config=FONTS)
        return content

    return run


if __name__ == "__main__":
    serve(prepared)
