"""Marked duplicates: what they say follows the ledger, the original stays as it is."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from billing.domain.acquittal import Acquittal
from billing.domain.credit_notes import CreditByVat, VatCredit
from billing.domain.errors import InvoiceNotIssued, NotFound
from billing.domain.ledger import PaymentMethod
from billing.ports.delivery import DownloadLink, Mark, MarkKind
from billing.usecases import marked_duplicates
from tests import factories
from tests.usecases.conftest import TAXED, Shop
from tests.usecases.test_credit_notes import credit

TOTAL = 12_000


def duplicate(shop: Shop, invoice_id: str, **changes: Any) -> DownloadLink:
    values: dict[str, Any] = {
        "invoices": shop.repositories.invoices,
        "documents": shop.documents,
        "renderer": shop.renderer,
        "clock": shop.clock,
    }
    return marked_duplicates.download_invoice_duplicate(changes.pop("caller", shop.caller), invoice_id, **values)


def marks(shop: Shop) -> list[Mark]:
    return [mark for _, mark in shop.renderer.marked]


def test_an_unpaid_invoice_is_only_marked_and_may_still_be_paid_by_its_code(shop: Shop) -> None:
    invoice = shop.issue()

    link = duplicate(shop, invoice.invoice_id)

    assert marks(shop) == [Mark(kind=MarkKind.DUPLICATE, asks=True)]
    assert shop.renderer.marked[0][0] == shop.stored(invoice)
    assert link.url.endswith("F2026-00001-duplicata.pdf")


def test_a_duplicate_is_drawn_once_for_as_long_as_it_says_the_same(shop: Shop) -> None:
    invoice = shop.issue()
    first, again = duplicate(shop, invoice.invoice_id), duplicate(shop, invoice.invoice_id)
    shop.pay(invoice.invoice_id, 2_000)
    part_paid = duplicate(shop, invoice.invoice_id)
    shop.pay(invoice.invoice_id, TOTAL - 2_000, method=PaymentMethod.CHEQUE)
    paid = duplicate(shop, invoice.invoice_id)

    assert first.url == again.url
    assert len({first.url, part_paid.url, paid.url}) == len(marks(shop)) == 3
    settled = Acquittal(on=date(2026, 11, 23), methods=(PaymentMethod.TRANSFER, PaymentMethod.CHEQUE))
    assert marks(shop)[1:] == [
        Mark(kind=MarkKind.DUPLICATE, kept_minor=2_000, left_minor=TOTAL - 2_000),
        Mark(kind=MarkKind.DUPLICATE, acquittal=settled, settled=True, kept_minor=TOTAL),
    ]


def test_the_stored_original_is_never_touched(shop: Shop) -> None:
    invoice = shop.issue()
    shop.render(invoice)
    [original] = shop.documents.stored
    content = shop.documents.stored[original]
    events = shop.events(invoice.invoice_id)
    shop.pay(invoice.invoice_id, TOTAL)
    before = shop.stored(invoice)

    duplicate(shop, invoice.invoice_id)

    added = set(shop.documents.stored) - {original}
    assert shop.documents.stored[original] == content
    assert all(key.startswith(f"{invoice.tenant_id}/duplicates/{invoice.invoice_id}/") for key in added)
    assert shop.stored(invoice) == before
    assert len(shop.events(invoice.invoice_id)) == len(events) + 1, "only the payment"
    assert shop.documents.kept_until.keys() == {original}


def test_an_invoice_credited_in_full_asks_for_nothing_and_was_not_paid(shop: Shop) -> None:
    invoice = shop.issue()
    credit(shop, invoice.invoice_id)

    duplicate(shop, invoice.invoice_id)

    assert marks(shop) == [Mark(kind=MarkKind.DUPLICATE, settled=True, credited_minor=TOTAL)]


def test_what_was_credited_is_not_asked_for_by_a_code_of_the_whole(shop: Shop) -> None:
    invoice = shop.issue()
    credit(shop, invoice.invoice_id, CreditByVat(amounts=(VatCredit(vat=TAXED, net_minor=5_000),)))

    duplicate(shop, invoice.invoice_id)

    assert marks(shop) == [Mark(kind=MarkKind.DUPLICATE, credited_minor=6_000, left_minor=TOTAL - 6_000)]


def test_a_credit_note_has_its_duplicate_and_an_invoice_is_none(shop: Shop) -> None:
    invoice = shop.issue()
    note = credit(shop, invoice.invoice_id)
    values: dict[str, Any] = {
        "invoices": shop.repositories.invoices,
        "documents": shop.documents,
        "renderer": shop.renderer,
        "clock": shop.clock,
    }

    link = marked_duplicates.download_credit_note_duplicate(shop.caller, note.invoice_id, **values)

    assert link.url.endswith("A2026-00001-duplicata.pdf")
    assert [mark.kind for mark in marks(shop)] == [MarkKind.DUPLICATE]
    with pytest.raises(NotFound):
        marked_duplicates.download_credit_note_duplicate(shop.caller, invoice.invoice_id, **values)


def test_a_draft_and_another_companys_invoice_have_none(shop: Shop) -> None:
    stranger = factories.caller("ten_other", user_id="other")
    shop.repositories.memberships.found(factories.membership(stranger), at=shop.clock.now())

    with pytest.raises(InvoiceNotIssued):
        duplicate(shop, shop.draft().invoice_id)
    with pytest.raises(NotFound):
        duplicate(shop, shop.issue().invoice_id, caller=stranger)
    assert shop.renderer.marked == []
