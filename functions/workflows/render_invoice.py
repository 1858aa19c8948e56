"""Task of the delivery workflow — render and store the PDF of an issued invoice."""

from typing import Any

from billing.api.entry import task_point
from billing.runtime.clock import clock, ids
from billing.runtime.documents import documents
from billing.runtime.facturx import xml_writer
from billing.runtime.links import link_secrets
from billing.runtime.observability import count
from billing.runtime.pdf import renderer
from billing.runtime.table import deliveries, invoice_links
from billing.usecases import deliveries as usecases


def render_invoice(event: dict[str, Any]) -> dict[str, Any]:
    try:
        rendering = usecases.render_invoice(
            event["tenant_id"],
            event["invoice_id"],
            event["attempt"],
            deliveries=deliveries(),
            documents=documents(),
            renderer=renderer(),
            xml=xml_writer(),
            links=invoice_links(),
            secrets=link_secrets(),
            clock=clock,
            ids=ids,
        )
    except Exception:
        count("PdfFailed")
        raise
    if rendering.fresh:
        count("PdfRendered")
    return {
        "pdf_key": rendering.pdf_key,
        "sha256": rendering.pdf.sha256 if rendering.pdf else "",
        "send": rendering.send,
        "judged": rendering.judged,
    }


handler = task_point(render_invoice)
