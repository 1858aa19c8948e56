"""What a receipt says, and that it is the same bytes each time."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from billing.adapters.pdf.receipt import PdfReceiptRenderer, ReceiptLayout
from billing.domain.ledger import PaymentMethod
from billing.domain.payments import Allocation, Payment, PaymentRefund, PaymentReversal, RefundReturn
from tests import factories
from tests.adapters.pdf.reading import words

PAYMENT = Payment(
    tenant_id=factories.TENANT_ID,
    payment_id="pay_1",
    version=1,
    customer_id=factories.CUSTOMER_ID,
    customer_name="Atelier Modèle SAS",
    currency="EUR",
    amount_minor=25_000,
    method=PaymentMethod.CHEQUE,
    paid_on=date(2026, 11, 23),
    reference="Chèque n° 1234567",
    allocations=(
        Allocation(invoice_id="inv_1", number="F2026-00001", amount_minor=12_000),
        Allocation(invoice_id="inv_2", number="F2026-00002", amount_minor=12_000),
    ),
    credited_minor=1_000,
    recorded_at=factories.ISSUED_AT,
    recorded_by=factories.USER_ID,
    customer_address=factories.address(
        line1="8 avenue du Modèle", line2="Bâtiment B", postal_code="69003", city="Lyon"
    ),
)
SELLER = factories.company_description()


def said(payment: Payment) -> str:
    return words(PdfReceiptRenderer().render(payment, SELLER, logo=None))


def test_a_receipt_says_who_paid_what_how_and_for_which_invoices() -> None:
    text = said(PAYMENT)

    for part in ("Reçu", "Atelier Modèle SAS", "23/11/2026", "Chèque", "F2026-00001", "F2026-00002", "Exemple SARL"):
        assert part in text
    assert "Reçu de Atelier Modèle SAS 8 avenue du Modèle Bâtiment B 69003 Lyon" in text
    assert "250,00" in text
    assert "Conservé à votre crédit" in text
    assert "annulé" not in text


def test_the_same_payment_gives_the_same_bytes() -> None:
    renderer = PdfReceiptRenderer()

    assert renderer.render(PAYMENT, SELLER, logo=None) == renderer.render(PAYMENT, SELLER, logo=None)


def test_a_reversed_payment_is_no_acquittal() -> None:
    reversal = PaymentReversal(
        reason="Chèque impayé", reversed_on=date(2026, 11, 30), reversed_at=factories.ISSUED_AT, reversed_by="usr"
    )

    assert "Ce reçu ne vaut plus acquit" in said(PAYMENT.reversed(reversal))


@pytest.mark.parametrize("count", [1, 12])
def test_refunds_are_told_one_by_one_or_in_sum(count: int) -> None:
    refunds = tuple(
        PaymentRefund(
            refund_id=f"rfd_{rank}",
            amount_minor=100,
            method=PaymentMethod.TRANSFER,
            refunded_on=date(2026, 12, 1),
            reference="",
            allocations=(),
            from_credit_minor=100,
            refunded_at=factories.ISSUED_AT,
            refunded_by="usr",
        )
        for rank in range(count)
    )

    text = said(replace(PAYMENT, refunds=refunds))

    assert ("Remboursé le 01/12/2026" in text) is (count == 1)
    assert (f"Remboursé en {count} fois" in text) is (count > 1)
    returned = RefundReturn(
        refund_id="rfd_0",
        amount_minor=100,
        allocations=(),
        credited_minor=100,
        version=9,
        returned_on=date(2026, 12, 4),
        returned_at=factories.ISSUED_AT,
        returned_by="usr",
    )
    text = said(replace(PAYMENT, refunds=refunds, returns=(returned,)))
    assert ("revenu de la banque le 04/12/2026" in text) is (count == 1)
    assert ("moins ce que la banque a renvoyé" in text) is (count > 1)


def test_credit_of_the_customer_pays_too() -> None:
    assert "Crédit du client" in said(replace(PAYMENT, method=None, credited_minor=0, amount_minor=24_000))


def test_a_long_address_stays_above_the_amount_and_a_payment_of_before_has_none() -> None:
    long = factories.address(
        line1="Résidence du Modèle, " * 6, line2="Bâtiment " * 12, city="Modèle-sur-Exemple " * 4, country_code="BE"
    )
    (page,) = ReceiptLayout(replace(PAYMENT, customer_address=long), SELLER, None).pages()
    address = [text for text in page.texts if text.x == 310 and text.style.size == 8.5]
    band = next(text for text in page.texts if text.text == "Date du paiement")

    assert address[-1].text == "BELGIQUE"
    assert max(text.y for text in address) < band.y - 12
    assert "8 avenue" not in said(replace(PAYMENT, customer_address=None))
