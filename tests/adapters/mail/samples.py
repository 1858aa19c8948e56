from __future__ import annotations

from typing import Any

from billing.domain.mail import compose_invoice_mail
from billing.ports.delivery import OutgoingMail
from tests.factories import ISSUED_AT, issued

FROM_ADDRESS = "factures@zenbilling.example"


def outgoing(**overrides: Any) -> OutgoingMail:
    composed = compose_invoice_mail(issued())
    values: dict[str, Any] = {
        "sender_name": "Exemple & Frères, SARL",
        "reply_to": "facturation@exemple.example",
        "recipient": "compta@modele.example",
        "recipient_name": "Atelier Modèle SAS",
        "subject": composed.subject,
        "text": composed.text,
        "html": composed.html,
        "attachment_name": "F2026-00001.pdf",
        "attachment": b"%PDF-1.7\n" + bytes(range(256)) * 40,
        "delivery_reference": "ten_01.inv_01.1",
        "message_id": "ten_01.inv_01.1",
        "sent_at": ISSUED_AT,
    }
    return OutgoingMail(**values | overrides)


def nothing() -> None:
    """A caller that has nothing to note before the content leaves."""
