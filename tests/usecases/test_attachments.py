"""Files of a draft, frozen at issue and mailed with the invoice."""

from __future__ import annotations

import pytest

from billing.domain.access import Caller
from billing.domain.errors import InvoiceAlreadyIssued, NotFound, StaleVersion
from billing.domain.events import EventType
from billing.domain.invoice import DraftInvoice
from billing.usecases import attachments, invoices
from tests import factories
from tests.usecases.conftest import Shop

CSV = b"a;b\n1;2\n"
OTHER = b"c;d\n3;4\n"


def upload(shop: Shop, draft: DraftInvoice, content: bytes = CSV, name: str = "heures.csv") -> DraftInvoice:
    return attachments.upload_invoice_attachment(
        shop.caller,
        draft.invoice_id,
        content,
        name=name,
        expected_version=draft.version,
        invoices=shop.repositories.invoices,
        documents=shop.documents,
        clock=shop.clock,
        ids=shop.ids,
    )


def remove(shop: Shop, draft: DraftInvoice, attachment_id: str) -> DraftInvoice:
    return attachments.remove_invoice_attachment(
        shop.caller,
        draft.invoice_id,
        attachment_id,
        expected_version=draft.version,
        invoices=shop.repositories.invoices,
        clock=shop.clock,
        ids=shop.ids,
    )


def test_an_attachment_is_stored_frozen_and_mailed_after_the_pdf(shop: Shop) -> None:
    draft = upload(shop, upload(shop, shop.draft()), OTHER, "autre.csv")
    issued = shop.issue(draft, send=True)
    shop.render(issued)
    shop.mail(issued)

    (mail,) = shop.mailer.accepted
    assert [one.name for one in issued.document.attachments] == ["heures.csv", "autre.csv"]
    assert [(file.name, file.media_type, file.content) for file in mail.further] == [
        ("heures.csv", "text/csv", CSV),
        ("autre.csv", "text/csv", OTHER),
    ]


def test_without_its_file_no_mail_leaves(shop: Shop) -> None:
    draft = upload(shop, shop.draft())
    issued = shop.issue(draft, send=True)
    shop.render(issued)
    del shop.documents.stored[draft.attachments[0].key]

    with pytest.raises(NotFound):
        shop.mail(issued)

    assert shop.mailer.accepted == []


def test_an_edit_of_the_content_keeps_the_attachments(shop: Shop) -> None:
    draft = upload(shop, shop.draft())

    edited = invoices.edit_invoice(
        shop.caller,
        draft.invoice_id,
        shop.wanted(draft.content.customer_id, notes="Merci"),
        expected_version=draft.version,
        invoices=shop.repositories.invoices,
        clock=shop.clock,
        ids=shop.ids,
    )

    assert edited.attachments == draft.attachments


def test_a_removed_attachment_leaves_the_draft_and_its_bytes_stay(shop: Shop) -> None:
    draft = upload(shop, shop.draft())
    (held,) = draft.attachments

    bare = remove(shop, draft, held.sha256)

    assert (bare.attachments, list(shop.documents.stored)) == ((), [held.key])
    types = [event.event_type for event in shop.events(draft.invoice_id)]
    assert types[1:] == [EventType.ATTACHMENT_ADDED, EventType.ATTACHMENT_REMOVED]
    with pytest.raises(NotFound):
        remove(shop, bare, held.sha256)


def test_two_uploads_of_one_version_end_in_one_refusal(shop: Shop) -> None:
    draft = shop.draft()
    upload(shop, draft)

    with pytest.raises(StaleVersion):
        upload(shop, draft, OTHER, "autre.csv")


def test_an_issued_invoice_takes_and_loses_no_file(shop: Shop) -> None:
    draft = upload(shop, shop.draft())
    shop.issue(draft)

    with pytest.raises(InvoiceAlreadyIssued):
        upload(shop, draft, OTHER, "autre.csv")
    with pytest.raises(InvoiceAlreadyIssued):
        remove(shop, draft, draft.attachments[0].sha256)


def test_a_file_is_downloaded_by_its_own_company_alone(shop: Shop) -> None:
    draft = upload(shop, shop.draft())
    stranger = factories.caller("ten_02EXEMPLE", user_id="usr_02EXEMPLE")
    shop.repositories.memberships.found(factories.membership(stranger), at=shop.clock.now())

    def link(caller: Caller) -> str:
        return attachments.download_invoice_attachment(
            caller,
            draft.invoice_id,
            draft.attachments[0].sha256,
            invoices=shop.repositories.invoices,
            documents=shop.documents,
            clock=shop.clock,
        ).url

    assert draft.attachments[0].key in link(shop.caller)
    with pytest.raises(NotFound):
        link(stranger)
