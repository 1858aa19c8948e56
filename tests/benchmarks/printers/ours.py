"""Ours: the PDF/A-3b with its XML inside, judged as well when the request says so."""

from __future__ import annotations

from collections.abc import Callable

from billing.adapters.facturx.embedding import factur_x
from billing.adapters.pdf.renderer import PdfDocumentRenderer
from tests.benchmarks.printers.serving import Request, serve
from tests.benchmarks.subjects import invoice

RENDERER = PdfDocumentRenderer(factur_x)


def prepared(request: Request) -> Callable[[], bytes]:
    made = invoice(request["lines"], request["rank"])

    def judged() -> bytes:
        from billing.adapters.facturx.rules import FacturXRules  # noqa: PLC0415 - only who judges pays for it
        from billing.domain.conformity import rules_of  # noqa: PLC0415

        pdf = RENDERER.render(made, logo=None)
        assert not FacturXRules().judge(factur_x(made.document).content, pdf, rules_of(made.document.issue_date))
        return pdf

    return judged if request.get("judge") else lambda: RENDERER.render(made, logo=None)


if __name__ == "__main__":
    serve(prepared)
