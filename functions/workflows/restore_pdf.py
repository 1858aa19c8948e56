"""Called by an operator — draw a lost PDF again from its snapshot, and store it when its bytes are the same."""

from typing import Any

from billing.api.entry import task_point
from billing.runtime.documents import documents
from billing.runtime.links import link_secrets
from billing.runtime.observability import count
from billing.runtime.pdf import renderer
from billing.runtime.table import deliveries
from billing.usecases import deliveries as usecases


def restore_pdf(event: dict[str, Any]) -> dict[str, bool]:
    restored = usecases.restore_pdf(
        event["tenant_id"],
        event["document_id"],
        deliveries=deliveries(),
        documents=documents(),
        renderer=renderer(),
        secrets=link_secrets(),
    )
    if restored:
        count("PdfRestored")
    return {"restored": restored}


handler = task_point(restore_pdf)
