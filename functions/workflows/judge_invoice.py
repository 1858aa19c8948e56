"""Task of the delivery workflow — judge the rendered document; one that breaks a rule is never sent."""

from typing import Any

from billing.api.entry import task_point
from billing.domain.errors import DocumentNotConformant
from billing.runtime.conformity import rules
from billing.runtime.documents import documents
from billing.runtime.facturx import xml_writer
from billing.runtime.observability import count, logger
from billing.runtime.table import deliveries
from billing.usecases import conformity as usecases


def judge_invoice(event: dict[str, Any]) -> dict[str, Any]:
    report = usecases.judge_invoice(
        event["tenant_id"],
        event["invoice_id"],
        deliveries=deliveries(),
        documents=documents(),
        xml=xml_writer(),
        rules=rules(),
    )
    if not report.conforms:
        count("PdfFailed")
        logger.error("document not conformant", broken=sorted({violation.rule for violation in report.violations}))
        raise DocumentNotConformant
    return {"rules": report.rules}


handler = task_point(judge_invoice)
